"""What is said to the user: sentences in English, and the catalogue by which they are said in another language.

Every room that says something imports this one; it knows nothing of them.
"""
