"""The text around a cursor and the text of an answer: lines, languages, extent, early stop, post-processing.

Every room may import this one; it touches nothing.
"""
