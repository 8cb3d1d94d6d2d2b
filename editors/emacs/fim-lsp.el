;;; fim-lsp.el --- Code completion as ghost text  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: MIT
;; URL: https://github.com/fim-lsp/fim-lsp
;; Version: 0.2.0
;; Package-Requires: ((emacs "29.1"))
;; Keywords: convenience, languages, tools

;;; Commentary:

;; A client for the language server fim-lsp that shows what it offers as
;; ghost text at point.  It has a server process of its own, one for all
;; buffers, so that it works beside eglot, lsp-mode or neither: the
;; language's own server keeps its place and its menu.
;;
;;   (require 'fim-lsp)
;;   (add-hook 'prog-mode-hook #'fim-lsp-mode)
;;
;; While ghost text is shown: TAB inserts it, M-f its next word, C-e its
;; line; M-n and M-p show other candidates, C-g hides it.

;;; Code:

(require 'cl-lib)
(require 'jsonrpc)
(require 'project)
(require 'url-util)

(defgroup fim-lsp nil
  "Code completion as ghost text."
  :group 'tools
  :prefix "fim-lsp-")

(defcustom fim-lsp-command '("fim-lsp")
  "The server and its arguments."
  :type '(repeat string))

(defcustom fim-lsp-settings nil
  "Settings of the server, as a property list: (:maxTokens 128)."
  :type 'plist
  :risky t)

(defcustom fim-lsp-idle-seconds 0.1
  "Seconds without a key after which the server is asked."
  :type 'number)

(defface fim-lsp-ghost '((t :inherit shadow))
  "Face of text that is offered.")

(defvar fim-lsp--connection nil "The connection to the server, if there is one.")
(defvar fim-lsp--greeted nil "The connection whose server has been greeted.")
(defvar fim-lsp--waiting nil "The buffer that has asked before that, and the kind of its ask.")
(defvar fim-lsp--pending nil "The ask under way: its number, its buffer, and the text, as its tick.")
(defvar fim-lsp--status nil "What the server has last said of itself.")
(defvar fim-lsp--timer nil "The timer that asks.")

(defvar-local fim-lsp--version 0 "How often the server has been told of changes.")
(defvar-local fim-lsp--changes nil "Changes it has not been told of, newest first.")
(defvar-local fim-lsp--before nil "A change under way: its start, its end, both as LSP has them.")
(defvar-local fim-lsp--opened nil "The connection in which this buffer is open.")
(defvar-local fim-lsp--name nil "The URI by which it is open there.")
(defvar-local fim-lsp--overlay nil "The overlay that shows ghost text.")
(defvar-local fim-lsp--shown nil "Whether ghost text is shown.")
(defvar-local fim-lsp--origin nil "Where the shown candidates begin.")
(defvar-local fim-lsp--behind nil "What their line had right of them.")
(defvar-local fim-lsp--texts nil "The candidates, best first.")
(defvar-local fim-lsp--covers nil
  "Of each text, how many characters right of point it takes the place of.")
(defvar-local fim-lsp--index 0 "Which of them is shown.")
(defvar-local fim-lsp--inserted nil
  "Where an insertion of this command has ended; 0 where it has deleted alone.")
(defvar-local fim-lsp--place nil "Where the server was last asked.")
(defvar-local fim-lsp--asked nil "The text, as its tick, for which the server was last asked.")

(defvar-keymap fim-lsp-ghost-map
  :doc "Keys while ghost text is shown."
  "TAB" #'fim-lsp-accept
  "<tab>" #'fim-lsp-accept
  "<remap> <forward-word>" #'fim-lsp-accept-word
  "<remap> <move-end-of-line>" #'fim-lsp-accept-line
  "<remap> <evil-copy-from-below>" #'fim-lsp-accept-line
  "M-n" #'fim-lsp-next
  "M-p" #'fim-lsp-previous
  "<remap> <keyboard-quit>" #'fim-lsp-dismiss)

;; Below the maps of menus and snippets, which stand in overlays or in
;; `minor-mode-overriding-map-alist'.
(add-to-list 'minor-mode-map-alist (cons 'fim-lsp--shown fim-lsp-ghost-map))

;;;###autoload
(define-minor-mode fim-lsp-mode
  "Show completions as ghost text while you type."
  :lighter (:eval (fim-lsp--lighter))
  (cond
   (fim-lsp-mode
    (setq fim-lsp--asked (buffer-chars-modified-tick))
    (when (fim-lsp--failed-p)
      (setq fim-lsp--connection nil))
    (advice-add 'company--col-row :around #'fim-lsp--beneath)
    (add-hook 'before-change-functions #'fim-lsp--before-change nil t)
    (add-hook 'after-change-functions #'fim-lsp--after-change nil t)
    (add-hook 'post-command-hook #'fim-lsp--after-command nil t)
    (add-hook 'kill-buffer-hook #'fim-lsp--close nil t)
    (add-hook 'change-major-mode-hook #'fim-lsp--close nil t)
    (add-hook 'change-major-mode-hook #'fim-lsp--hide nil t))
   (t
    (remove-hook 'before-change-functions #'fim-lsp--before-change t)
    (remove-hook 'after-change-functions #'fim-lsp--after-change t)
    (remove-hook 'post-command-hook #'fim-lsp--after-command t)
    (remove-hook 'kill-buffer-hook #'fim-lsp--close t)
    (remove-hook 'change-major-mode-hook #'fim-lsp--close t)
    (remove-hook 'change-major-mode-hook #'fim-lsp--hide t)
    (fim-lsp--hide)
    (fim-lsp--close))))

;;;###autoload
(define-globalized-minor-mode global-fim-lsp-mode fim-lsp-mode fim-lsp--turn-on)

(defun fim-lsp--turn-on ()
  "Turn the mode on for a file of text."
  (when (and buffer-file-name (derived-mode-p 'prog-mode 'text-mode 'conf-mode))
    (fim-lsp-mode 1)))

(defun fim-lsp--lighter ()
  "The word of the mode line."
  (pcase (fim-lsp--state-word fim-lsp--status)
    ("working" " fim..")
    ((or "paused" "off") " fim off")
    ((or "problem" "no key" "key refused" "budget used") " fim!")
    (_ " fim")))

(defun fim-lsp--state-word (status)
  "How the server is that has sent STATUS, in the words of all editors."
  (let ((nap (seq-find (lambda (nap) (equal (plist-get nap :scope) "everything"))
                       (plist-get status :snoozed))))
    (pcase (plist-get status :state)
      ("error" (cond ((not (equal (plist-get status :cause) "key")) "problem")
                     ((eq (plist-get status :apiKey) :json-false) "no key")
                     (t "key refused")))
      ("paused" (cond ((eq (plist-get status :enabled) :json-false) "off")
                      ((eq (plist-get status :overBudget) t) "budget used")
                      (t "paused")))
      ("busy" "working")
      ((guard nap) (format "snoozed %d min" (plist-get nap :minutes)))
      (_ "ready"))))

;;; The connection

(defclass fim-lsp--client (jsonrpc-process-connection) ()
  "A connection that knows which ask is under way.")

(cl-defmethod jsonrpc-connection-send :before ((_ fim-lsp--client)
                                               &key id method &allow-other-keys)
  "Note ID where METHOD asks for a suggestion."
  (when (eq method :textDocument/inlineCompletion)
    (setq fim-lsp--pending (list id (current-buffer) (buffer-chars-modified-tick)))))

(defun fim-lsp--silence ()
  "Options that keep source text out of a buffer of events."
  (if (slot-exists-p 'jsonrpc-connection '-events-buffer-config)
      '(:events-buffer-config (:size 0))
    '(:events-buffer-scrollback-size 0)))

(defun fim-lsp--connect ()
  "The connection to the server, or nil while it is not greeted.
It is started where it is not running; Emacs does not wait for it."
  (unless (and fim-lsp--connection (jsonrpc-running-p fim-lsp--connection))
    (unless (executable-find (car fim-lsp-command))
      (user-error "%s is not on `exec-path': install it, or set `fim-lsp-command'; then M-x fim-lsp-mode"
                  (car fim-lsp-command)))
    (let* ((root (if-let* ((found (project-current))) (project-root found) default-directory))
           (default-directory root)
           (connection
            (apply
             #'make-instance
             'fim-lsp--client
             :name "fim-lsp"
             :process (lambda ()
                        (make-process :name "fim-lsp"
                                      :command fim-lsp-command
                                      :connection-type 'pipe
                                      :coding 'utf-8-emacs-unix
                                      :noquery t
                                      :stderr (get-buffer-create " *fim-lsp stderr*")))
             :notification-dispatcher #'fim-lsp--notified
             :request-dispatcher #'fim-lsp--requested
             (fim-lsp--silence))))
      (setq fim-lsp--connection connection
            fim-lsp--status nil)
      (jsonrpc-async-request
       connection :initialize
       (list :processId (emacs-pid)
             :clientInfo '(:name "Emacs fim-lsp")
             :rootUri (fim-lsp--uri root)
             :initializationOptions (list :statusNotifications t
                                          :fimLsp (fim-lsp--settings))
             :capabilities '(:general (:positionEncodings ["utf-32"])
                             :textDocument (:inlineCompletion (:dynamicRegistration :json-false))))
       :success-fn (lambda (_) (fim-lsp--greeted connection))
       :error-fn #'fim-lsp--not-greeted
       :timeout-fn (lambda () (fim-lsp--not-greeted '(:message "no answer"))))))
  (and (eq fim-lsp--greeted fim-lsp--connection) fim-lsp--connection))

(defun fim-lsp--greeted (connection)
  "Ask what waits for the server of CONNECTION, which has been greeted."
  (setq fim-lsp--greeted connection)
  (jsonrpc-notify connection :initialized (make-hash-table))
  (pcase fim-lsp--waiting
    (`(,buffer ,kind)
     (setq fim-lsp--waiting nil)
     (when (buffer-live-p buffer)
       (with-current-buffer buffer (fim-lsp--ask kind))))))

(defun fim-lsp--not-greeted (problem)
  "Tell that the server has not answered the greeting, by PROBLEM."
  (setq fim-lsp--waiting nil)
  (message "fim-lsp: the server did not start (%s); `fim-lsp doctor' in a terminal says more, M-x fim-lsp-restart tries again"
           (plist-get problem :message)))

(defun fim-lsp--failed-p ()
  "Whether the server has ended before it was greeted."
  (and fim-lsp--connection
       (not (eq fim-lsp--greeted fim-lsp--connection))
       (not (jsonrpc-running-p fim-lsp--connection))))

(defun fim-lsp--await ()
  "The connection, once its server has been greeted."
  (with-timeout (10 (user-error "The server does not answer"))
    (while (not (fim-lsp--connect))
      (accept-process-output nil 0.05)
      (when (fim-lsp--failed-p)
        (user-error "The server did not start; `fim-lsp doctor' in a terminal says more"))))
  fim-lsp--connection)

(defun fim-lsp--cancel ()
  "Take back the ask under way: its stream ends, and costs no more."
  (when (and fim-lsp--pending fim-lsp--greeted (jsonrpc-running-p fim-lsp--greeted))
    (jsonrpc-notify fim-lsp--greeted :$/cancelRequest (list :id (car fim-lsp--pending))))
  (setq fim-lsp--pending nil))

(defun fim-lsp--notified (_connection method params)
  "Take the server's notification METHOD with PARAMS."
  (pcase method
    ('fimLsp/status
     (setq fim-lsp--status params)
     (force-mode-line-update t))
    ('window/showMessage
     (message "%s" (plist-get params :message)))))

(defun fim-lsp--requested (_connection method params)
  "Answer the server's request METHOD with PARAMS."
  (when (eq method 'workspace/configuration)
    (vconcat (mapcar (lambda (_) (fim-lsp--settings)) (plist-get params :items)))))

(defun fim-lsp--settings ()
  "The user's settings: never a folder's, which its local variables may hold."
  (or (default-value 'fim-lsp-settings) (make-hash-table)))

(defun fim-lsp--uri (path)
  "The URI of a file at PATH."
  (let ((allowed (copy-sequence url-path-allowed-chars)))
    (aset allowed ?% nil)
    (concat "file://" (url-hexify-string (expand-file-name path) allowed))))

(defun fim-lsp--identifier ()
  "What names this buffer, which is open there, to the server."
  (list :uri fim-lsp--name))

(defun fim-lsp--language ()
  "The name of this buffer's language, as the protocol has it."
  (let ((name (string-remove-suffix "-ts" (string-remove-suffix "-mode" (symbol-name major-mode)))))
    (or (cdr (assoc name '(("c++" . "cpp") ("js" . "javascript") ("sh" . "shellscript")
                           ("bash" . "shellscript") ("emacs-lisp" . "elisp") ("rust" . "rust")
                           ("js-json" . "json") ("csharp" . "csharp") ("tsx" . "typescriptreact"))))
        name)))

;;; What the server knows of a buffer

(defun fim-lsp--position (&optional position)
  "POSITION, or point, as the protocol has it: a line and a count of characters."
  (save-excursion
    (save-restriction
      (widen)
      (when position (goto-char position))
      (list :line (1- (line-number-at-pos))
            :character (- (point) (line-beginning-position))))))

(defun fim-lsp--text ()
  "The whole text of this buffer."
  (save-restriction
    (widen)
    (buffer-substring-no-properties (point-min) (point-max))))

(defun fim-lsp--before-change (start end)
  "Remember where START and END are, before a change between them."
  (when fim-lsp--opened
    (setq fim-lsp--before
          (list start end (fim-lsp--position start) (fim-lsp--position end)))))

(defun fim-lsp--after-change (start end length)
  "Keep a change: LENGTH characters have become what is between START and END."
  (setq fim-lsp--inserted (if (> end start) end 0))
  (when fim-lsp--opened
    (pcase fim-lsp--before
      (`(,(pred (= start)) ,(pred (= (+ start length))) ,from ,to)
       (unless (eq fim-lsp--changes 'all)
         (push (list :range (list :start from :end to)
                     :text (save-restriction
                             (widen)
                             (buffer-substring-no-properties start end)))
               fim-lsp--changes)))
      ;; Emacs has told of more than has changed: the server is told all.
      (_ (setq fim-lsp--changes 'all)))
    (setq fim-lsp--before nil)))

(defun fim-lsp--synchronize (connection)
  "Tell the server of CONNECTION of this buffer as it is."
  (let ((name (fim-lsp--uri (or buffer-file-name (buffer-name)))))
    (unless (equal name fim-lsp--name)
      ;; Under another name it is another document.
      (fim-lsp--close)
      (setq fim-lsp--name name)))
  (cond
   ((not (eq fim-lsp--opened connection))
    (setq fim-lsp--opened connection
          fim-lsp--version 1
          fim-lsp--changes nil)
    (jsonrpc-notify connection :textDocument/didOpen
                    (list :textDocument
                          (append (fim-lsp--identifier)
                                  (list :languageId (fim-lsp--language)
                                        :version fim-lsp--version
                                        :text (fim-lsp--text))))))
   (fim-lsp--changes
    (let ((changes (if (eq fim-lsp--changes 'all)
                       (vector (list :text (fim-lsp--text)))
                     (vconcat (reverse fim-lsp--changes)))))
      (setq fim-lsp--changes nil)
      (jsonrpc-notify connection :textDocument/didChange
                      (list :textDocument
                            (append (fim-lsp--identifier)
                                    (list :version (cl-incf fim-lsp--version)))
                            :contentChanges changes))))))

(defun fim-lsp--close ()
  "Tell the server that this buffer is closed."
  (when (and fim-lsp--opened (jsonrpc-running-p fim-lsp--opened))
    (jsonrpc-notify fim-lsp--opened :textDocument/didClose
                    (list :textDocument (fim-lsp--identifier))))
  (setq fim-lsp--opened nil))

;;; Asking and showing

(defvar evil-state)

(defun fim-lsp--typing-p ()
  "Whether keys are text here: with evil, in its insert and Emacs states."
  (or (not (bound-and-true-p evil-local-mode))
      (memq evil-state '(insert emacs))))

(defun fim-lsp--typed-p ()
  "Whether the last command has typed.
What it inserted ends at point, or it was a backspace."
  (let ((command (if (symbolp this-command) (symbol-name this-command) "")))
    (and fim-lsp--inserted
         (not (string-match-p "undo\\|redo" command))
         (or (eql fim-lsp--inserted (point))
             (string-match-p "backward-delete\\|delete-backward\\|backspace" command)))))

(defun fim-lsp--after-command ()
  "Show what is left of the suggestion, and ask for the next where one has typed."
  (let ((typing (fim-lsp--typing-p))
        (typed (fim-lsp--typed-p)))
    (setq fim-lsp--inserted nil)
    (if typing (fim-lsp--draw) (fim-lsp--hide))
    (when (timerp fim-lsp--timer)
      (cancel-timer fim-lsp--timer))
    (cond
     ((and typing typed (not buffer-read-only)
           (not (eql fim-lsp--asked (buffer-chars-modified-tick))))
      (fim-lsp--ask-soon))
     ((not (and fim-lsp--shown typing))
      (fim-lsp--leave)))))

(defun fim-lsp--leave ()
  "Take back an ask for another place or text than the one at point."
  (pcase fim-lsp--pending
    (`(,_ ,buffer ,tick)
     (unless (and (eq buffer (current-buffer))
                  (eql tick (buffer-chars-modified-tick))
                  (eql (point) fim-lsp--place)
                  (fim-lsp--typing-p))
       (fim-lsp--cancel)))))

(defun fim-lsp--ask-soon ()
  "Ask once no key has come for a moment."
  (let ((buffer (current-buffer)))
    (setq fim-lsp--timer
          (run-with-timer fim-lsp-idle-seconds nil
                          (lambda ()
                            (when (eq buffer (window-buffer))
                              (with-current-buffer buffer (fim-lsp--ask 2))))))))

(defun fim-lsp--ask (kind)
  "Ask the server for suggestions; KIND is 1 for an explicit ask, 2 for another."
  (when (and fim-lsp-mode (or (eql kind 1) (not (fim-lsp--failed-p))))
    (setq fim-lsp--asked (buffer-chars-modified-tick))
    (condition-case problem
        (if-let* ((connection (fim-lsp--connect)))
            (fim-lsp--request connection kind)
          (setq fim-lsp--waiting (list (current-buffer) kind)))
      (error (message "fim-lsp: %s" (error-message-string problem))
             (fim-lsp-mode -1)))))

(defun fim-lsp--request (connection kind)
  "Send the ask of KIND for point by CONNECTION, and show what is answered."
  (let ((buffer (current-buffer))
        (origin (point))
        (behind (fim-lsp--tail))
        ask)
    (setq fim-lsp--place origin)
    (fim-lsp--synchronize connection)
    (jsonrpc-async-request
     connection :textDocument/inlineCompletion
     (list :textDocument (fim-lsp--identifier)
           :position (fim-lsp--position)
           :context (list :triggerKind kind))
     :success-fn (lambda (result)
                   ;; Another may be under way by now.
                   (when (eq ask fim-lsp--pending)
                     (setq fim-lsp--pending nil))
                   (when (buffer-live-p buffer)
                     (with-current-buffer buffer
                       (fim-lsp--answered result origin behind kind))))
     :error-fn #'ignore
     :timeout-fn #'ignore)
    (setq ask fim-lsp--pending)))

(defun fim-lsp--tail ()
  "What the line has right of point."
  (buffer-substring-no-properties (point) (line-end-position)))

(defun fim-lsp--answered (result origin behind kind)
  "Show RESULT, which was asked for with KIND at ORIGIN, right of which was BEHIND."
  ;; null: a newer request has overtaken this one, and what is shown stays.
  (when (and result (<= (point-min) origin (point)))
    (let* ((items (if (vectorp result) result (plist-get result :items)))
           (typed (buffer-substring-no-properties origin (point)))
           (along (seq-filter (lambda (item) (fim-lsp--along-p (plist-get item :insertText) typed))
                              items))
           (texts (mapcar (lambda (item) (plist-get item :insertText)) along))
           (chosen (and (> fim-lsp--index 0) (fim-lsp--rest))))
      (when (or texts (string-empty-p typed))
        (setq fim-lsp--origin (copy-marker origin)
              fim-lsp--behind behind
              fim-lsp--texts texts
              fim-lsp--covers
              (mapcar (lambda (text)
                        (cons text (fim-lsp--covered
                                    (seq-find (lambda (item) (equal text (plist-get item :insertText)))
                                              along))))
                      texts)
              fim-lsp--index (cond ((and (eql kind 1) fim-lsp--shown (cdr texts)) 1)
                                   ;; What one has gone to stays while one types along it.
                                   ((and chosen (seq-position texts (concat typed chosen))))
                                   (t 0)))
        (fim-lsp--draw)))))

(defun fim-lsp--covered (item)
  "How many characters right of point the text of ITEM takes the place of."
  (let ((range (plist-get item :range)))
    (if range
        (- (plist-get (plist-get range :end) :character)
           (plist-get (plist-get range :start) :character))
      0)))

(defun fim-lsp--over ()
  "How many characters right of point the suggestion takes the place of."
  (min (or (cdr (assoc (nth fim-lsp--index fim-lsp--texts) fim-lsp--covers)) 0)
       (- (line-end-position) (point))))

(defun fim-lsp--along-p (text typed)
  "Return non-nil if TEXT is TYPED and more."
  (and (string-prefix-p typed text) (> (length text) (length typed))))

(defun fim-lsp--rest ()
  "What is left of the suggestion at point, or nil."
  (when-let* ((text (nth fim-lsp--index fim-lsp--texts))
              ((<= fim-lsp--origin (point)))
              ;; A bracket that was closed by itself: the server says what that leaves of it.
              ((equal fim-lsp--behind (fim-lsp--tail)))
              (typed (buffer-substring-no-properties fim-lsp--origin (point)))
              ((fim-lsp--along-p text typed)))
    (substring text (length typed))))

(defun fim-lsp--draw ()
  "Show what is left of the suggestion at point, or nothing."
  (let ((rest (fim-lsp--rest)))
    (if (or (not rest) isearch-mode)
        (fim-lsp--hide)
      (fim-lsp--paint (propertize rest 'face 'fim-lsp-ghost)))))

(defun fim-lsp--paint (ghost)
  "Show GHOST at point, and behind it what the line still has then."
  (unless fim-lsp--overlay
    (setq fim-lsp--overlay (make-overlay (point) (point) nil t t)))
  ;; The buffer may be in other windows, too.
  (overlay-put fim-lsp--overlay 'window (selected-window))
  (if (eolp)
      (progn
        ;; The cursor stands before the text, not behind it.
        (put-text-property 0 1 'cursor t ghost)
        (move-overlay fim-lsp--overlay (point) (point))
        (overlay-put fim-lsp--overlay 'display nil)
        (overlay-put fim-lsp--overlay 'after-string ghost))
    ;; Within a line it does so only on what is shown in place of text.
    (let ((line (concat ghost (buffer-substring (+ (point) (fim-lsp--over)) (line-end-position)))))
      (move-overlay fim-lsp--overlay (point) (line-end-position))
      (overlay-put fim-lsp--overlay 'display (substring line 0 1))
      (overlay-put fim-lsp--overlay 'after-string (substring line 1))))
  (setq fim-lsp--shown t))

(defun fim-lsp--beneath (place &rest arguments)
  "Call PLACE with ARGUMENTS as if ghost text took no room on its line.
So company finds a place for its popup below the word."
  (let ((ghost (and fim-lsp--shown (overlay-get fim-lsp--overlay 'after-string))))
    (when ghost (overlay-put fim-lsp--overlay 'after-string nil))
    (unwind-protect (apply place arguments)
      (when ghost (overlay-put fim-lsp--overlay 'after-string ghost)))))

(defun fim-lsp--hide ()
  "Show nothing."
  (when fim-lsp--overlay
    (delete-overlay fim-lsp--overlay))
  (setq fim-lsp--shown nil
        fim-lsp--texts nil))

;;; Commands

(defun fim-lsp--take (part)
  "Insert PART of the suggestion; what is left of it stays."
  (undo-boundary)
  (when (equal part (fim-lsp--rest))
    (delete-region (point) (+ (point) (fim-lsp--over))))
  (insert part)
  (undo-boundary)
  (fim-lsp--draw))

(defun fim-lsp-accept ()
  "Insert the suggestion."
  (interactive)
  (when-let* ((rest (fim-lsp--rest)))
    (fim-lsp--take rest)))

(defun fim-lsp-accept-word ()
  "Insert the next word of the suggestion."
  (interactive)
  (when-let* ((rest (fim-lsp--rest)))
    (fim-lsp--take (if (string-match "\\`[ \t\n]*\\(?:[[:alnum:]_]+\\|[^[:alnum:]_ \t\n]+\\)" rest)
                       (match-string 0 rest)
                     rest))))

(defun fim-lsp-accept-line ()
  "Insert the line of the suggestion; at the end of one, the next."
  (interactive)
  (when-let* ((rest (fim-lsp--rest)))
    (fim-lsp--take (if (string-match "\\`\n*[^\n]+" rest) (match-string 0 rest) rest))))

(defun fim-lsp-complete ()
  "Ask for a suggestion here and now."
  (interactive)
  (fim-lsp--ask 1))

(defun fim-lsp-next (&optional step)
  "Show the next candidate, or the one STEP further; the first time, ask for more."
  (interactive)
  (if (cdr fim-lsp--texts)
      (progn
        (setq fim-lsp--index (mod (+ fim-lsp--index (or step 1)) (length fim-lsp--texts)))
        (fim-lsp--draw))
    (fim-lsp-complete)))

(defun fim-lsp-previous ()
  "Show the previous candidate."
  (interactive)
  (fim-lsp-next -1))

(defun fim-lsp-dismiss ()
  "Hide the suggestion until something is typed."
  (interactive)
  (fim-lsp--cancel)
  (fim-lsp--hide))

(defun fim-lsp-restart ()
  "End the server; it is started again when it is next needed."
  (interactive)
  (when (and fim-lsp--connection (jsonrpc-running-p fim-lsp--connection))
    ;; What jsonrpc says of an end that was asked for is no news.
    (let ((inhibit-message t)
          (message-log-max nil)
          (connection fim-lsp--connection))
      (ignore-errors
        (jsonrpc-request connection :shutdown nil :timeout 2)
        (jsonrpc-notify connection :exit nil)
        (with-timeout (2)
          (while (jsonrpc-running-p connection)
            (accept-process-output nil 0.05))))
      (jsonrpc-shutdown connection)))
  (setq fim-lsp--connection nil
        fim-lsp--pending nil))

(defun fim-lsp--command (name &rest arguments)
  "Have the server run NAME with ARGUMENTS, and give back the answer."
  (jsonrpc-request (fim-lsp--await) :workspace/executeCommand
                   `(:command ,name :arguments ,(vconcat arguments))))

(defun fim-lsp--tell (status)
  "Say how the server is by its STATUS."
  (message "fim-lsp: %s, %s, %s, %s %s"
           (fim-lsp--state-word status)
           (if (eq (plist-get status :demo) t) "demo" (plist-get status :model))
           (fim-lsp--count (plist-get status :requests) "request" "requests")
           (fim-lsp--count (plist-get status :localHits) "answer from memory" "answers from memory")
           (plist-get status :message)))

(defun fim-lsp--count (number one many)
  "NUMBER in words: of ONE, or of MANY."
  (format "%d %s" number (if (eql number 1) one many)))

(defun fim-lsp--page (title &rest lines)
  "Show LINES in a buffer of TITLE, which q closes."
  (with-current-buffer (get-buffer-create (format "*fim-lsp %s*" title))
    (special-mode)
    (setq-local buffer-undo-list t)
    (let ((inhibit-read-only t))
      (erase-buffer)
      (insert (string-join lines "\n"))
      (goto-char (point-min)))
    (display-buffer (current-buffer))))

(defun fim-lsp-status ()
  "Say what the server does."
  (interactive)
  (fim-lsp--tell (fim-lsp--command "fimLsp.status")))

(defun fim-lsp-toggle ()
  "Pause suggestions in all buffers, or let them come again.
In one buffer alone, `fim-lsp-mode' does that."
  (interactive)
  (fim-lsp--hide)
  (fim-lsp--tell (fim-lsp--command "fimLsp.toggle")))

(defun fim-lsp-snooze (minutes)
  "Let nothing come by itself for so many MINUTES; 0 ends that."
  (interactive "nMinutes of silence: ")
  (fim-lsp--tell (fim-lsp--command "fimLsp.snooze" `(:minutes ,minutes))))

(defun fim-lsp-resume ()
  "Go on until tomorrow over a budget that is used up."
  (interactive)
  (fim-lsp--tell (fim-lsp--command "fimLsp.resume")))

(defun fim-lsp-clear-cache ()
  "Forget the answers that are kept, and the log of edits."
  (interactive)
  (fim-lsp--command "fimLsp.clearCache")
  (message "fim-lsp: the answers that were kept are forgotten"))

(defun fim-lsp-explain ()
  "Show what would be sent from point: every byte of it."
  (interactive)
  (fim-lsp--synchronize (fim-lsp--await))
  (let ((sent (unwind-protect
                  (fim-lsp--command "fimLsp.explain"
                                    (list :uri fim-lsp--name :position (fim-lsp--position)))
                ;; Without the mode the server hears of no change.
                (unless fim-lsp-mode (fim-lsp--close)))))
    (fim-lsp--page
     "explain"
     (cond
      ((plist-get sent :problem))
      ((eq (plist-get sent :demo) t) "To the demo, on this machine")
      (t (format "To %s, for the model %s" (plist-get sent :url) (plist-get sent :model))))
     ""
     (mapconcat (lambda (part)
                  (format "%-8s %6d tokens  %s" (plist-get part :what) (plist-get part :tokens)
                          (string-join (plist-get part :files) ", ")))
                (plist-get sent :parts) "\n")
     "" "prompt:" (or (plist-get sent :prompt) "") "" "suffix:" (or (plist-get sent :suffix) ""))))

(defun fim-lsp-usage ()
  "Show what completions have cost."
  (interactive)
  (fim-lsp--page "usage" (with-temp-buffer
                           (let ((command (append (remove "--demo" fim-lsp-command) '("usage"))))
                             (apply #'call-process (car command) nil t nil (cdr command)))
                           (buffer-string))))

(defun fim-lsp-log ()
  "Show what the server has written to its log."
  (interactive)
  (fim-lsp--page "log" (with-current-buffer (get-buffer-create " *fim-lsp stderr*")
                         (buffer-string))))

(provide 'fim-lsp)
;;; fim-lsp.el ends here
