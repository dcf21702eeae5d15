package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// wireTimeout bounds one exchange.
const wireTimeout = 30 * time.Second

// wire is one HTTP/1.1 connection (RFC 9112) that is kept open. It knows just
// enough of the protocol to cost little: the load generator shares its cores
// with what it measures.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
	now  func() time.Time
	out  []byte

	// Of the last answer:
	status   int
	location []byte
	body     []byte
}

// The header fields that are looked at, as net/http's server spells them.
var (
	contentLength    = []byte("Content-Length: ")    //nolint:gochecknoglobals // a constant
	transferEncoding = []byte("Transfer-Encoding: ") //nolint:gochecknoglobals // a constant
	locationField    = []byte("Location: ")          //nolint:gochecknoglobals // a constant
)

func dial(ctx context.Context, address string, now func() time.Time) (*wire, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &wire{conn: conn, in: bufio.NewReaderSize(conn, 16<<10), now: now}, nil
}

// request starts a request: the target line and all header fields but the
// length of the body.
func (w *wire) request(method, target, token, contentType string) {
	w.out = append(w.out[:0], method...)
	w.out = append(w.out, ' ')
	w.out = append(w.out, target...)
	w.out = append(w.out, " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: "+userAgent+"\r\n"...)
	if token != "" {
		w.out = append(w.out, "Authorization: Bearer "...)
		w.out = append(w.out, token...)
		w.out = append(w.out, "\r\n"...)
	}
	if contentType != "" {
		w.out = append(w.out, "Content-Type: "...)
		w.out = append(w.out, contentType...)
		w.out = append(w.out, "\r\n"...)
	}
}

// do sends the request with a body and reads the answer, which must have the
// wanted status.
func (w *wire) do(body string, want int) error {
	if body != "" {
		w.out = append(w.out, "Content-Length: "...)
		w.out = strconv.AppendInt(w.out, int64(len(body)), 10)
		w.out = append(w.out, "\r\n"...)
	}
	w.out = append(w.out, "\r\n"...)
	w.out = append(w.out, body...)
	if err := w.conn.SetDeadline(w.now().Add(wireTimeout)); err != nil {
		return err
	}
	if _, err := w.conn.Write(w.out); err != nil {
		return err
	}
	if err := w.read(); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if w.status != want {
		return fmt.Errorf("status %d instead of %d: %s", w.status, want, w.body)
	}
	return nil
}

// read reads one answer.
func (w *wire) read() error {
	line, err := w.line()
	if err != nil {
		return err
	}
	if len(line) < len("HTTP/1.1 200") {
		return errors.New("malformed status line")
	}
	if w.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return err
	}
	length, chunked := 0, false
	w.location = w.location[:0]
	for {
		line, err := w.line()
		switch {
		case err != nil:
			return err
		case len(line) == 0:
			return w.readBody(length, chunked)
		case bytes.HasPrefix(line, contentLength):
			if length, err = strconv.Atoi(string(line[len(contentLength):])); err != nil {
				return err
			}
		case bytes.HasPrefix(line, transferEncoding):
			chunked = true
		case bytes.HasPrefix(line, locationField):
			w.location = append(w.location, line[len(locationField):]...)
		}
	}
}

func (w *wire) readBody(length int, chunked bool) error {
	w.body = w.body[:0]
	if !chunked {
		return w.readN(length)
	}
	for {
		line, err := w.line()
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(line), 16, 32)
		if err != nil {
			return err
		}
		if err := w.readN(int(size)); err != nil {
			return err
		}
		if _, err := w.line(); err != nil || size == 0 {
			return err
		}
	}
}

func (w *wire) readN(n int) error {
	from := len(w.body)
	w.body = append(w.body, make([]byte, n)...)
	_, err := io.ReadFull(w.in, w.body[from:])
	return err
}

// line reads up to CRLF, which it removes.
func (w *wire) line() ([]byte, error) {
	line, err := w.in.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

// member returns the text of a member of the body's JSON object. It holds no
// escapes, as tokens, codes and handles do not.
func member(body []byte, name string) (string, error) {
	return between(body, `"`+name+`":"`, '"')
}

// parameter returns a query parameter of a URL.
func parameter(target []byte, name string) (string, error) {
	return between(append(target, '&'), name+"=", '&')
}

func between(text []byte, before string, after byte) (string, error) {
	_, rest, found := bytes.Cut(text, []byte(before))
	value, _, closed := bytes.Cut(rest, []byte{after})
	if !found || !closed {
		return "", fmt.Errorf("the answer lacks %s", before)
	}
	return string(value), nil
}
