package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"time"
)

type Mail struct {
	From, To, Subject, Body string
	Headers                 mail.Header
	taken                   bool
}

func (f *Fakes) smtpSession(c net.Conn) {
	defer c.Close()
	br := bufio.NewReader(c)
	say := func(s string) { fmt.Fprintf(c, "%s\r\n", s) }
	say("220 contract.test ESMTP")
	var from string
	var to []string
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb := strings.ToUpper(strings.SplitN(line, " ", 2)[0])
		switch verb {
		case "EHLO":
			say("250-contract.test")
			say("250 8BITMIME")
		case "HELO", "NOOP":
			say("250 ok")
		case "RSET":
			from, to = "", nil
			say("250 ok")
		case "MAIL":
			from = between(line, "<", ">")
			say("250 ok")
		case "RCPT":
			a := between(line, "<", ">")
			if strings.Contains(a, "bounce-") {
				say("550 mailbox unavailable")
				continue
			}
			to = append(to, a)
			say("250 ok")
		case "DATA":
			say("354 go")
			var sb strings.Builder
			for {
				l, err := br.ReadString('\n')
				if err != nil {
					return
				}
				if l == ".\r\n" {
					break
				}
				sb.WriteString(strings.TrimPrefix(l, "."))
			}
			f.addMail(from, to, sb.String())
			say("250 queued")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("502 not implemented")
		}
	}
}

func between(s, a, b string) string {
	_, s, _ = strings.Cut(s, a)
	s, _, _ = strings.Cut(s, b)
	return s
}

func (f *Fakes) addMail(from string, to []string, data string) {
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		return
	}
	dec := new(mime.WordDecoder)
	subj, err := dec.DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		subj = m.Header.Get("Subject")
	}
	body := mailText(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range to {
		f.mails = append(f.mails, Mail{From: from, To: t, Subject: subj, Body: body, Headers: m.Header})
	}
}

// mailText returns the HTML part if there is one, else the first text part.
func mailText(ctype, cte string, r io.Reader) string {
	switch strings.ToLower(cte) {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	}
	mt, params, err := mime.ParseMediaType(ctype)
	if err == nil && strings.HasPrefix(mt, "multipart/") {
		mr := multipart.NewReader(r, params["boundary"])
		text := ""
		for {
			p, err := mr.NextRawPart()
			if err != nil {
				return text
			}
			t := mailText(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p)
			if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
				return t
			}
			if text == "" {
				text = t
			}
		}
	}
	b, _ := io.ReadAll(r)
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

func (f *Fakes) takeMail(to string, timeout time.Duration) (Mail, bool) {
	var got Mail
	ok := waitFor(timeout, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for i := range f.mails {
			if !f.mails[i].taken && strings.EqualFold(f.mails[i].To, to) {
				f.mails[i].taken = true
				got = f.mails[i]
				return true
			}
		}
		return false
	})
	return got, ok
}
