package mailer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"unicode/utf8"
)

// address is where a body is: a URL, or a file of this machine.
type address struct{ url, file string }

// fileScheme begins the address of a file.
const fileScheme = "file://"

// parseAddress reads a configured address. What starts with "file://" is the
// path of a file, what starts with "http" a URL, all else a path below the site.
func parseAddress(siteURL, text string) address {
	if path, isFile := strings.CutPrefix(text, fileScheme); isFile {
		return address{file: path}
	}
	if !strings.HasPrefix(text, "http") {
		text = strings.TrimRight(siteURL, "/") + "/" + strings.TrimLeft(text, "/")
	}
	return address{url: text}
}

// read returns the text at an address. Its errors do not name a URL, which may
// carry a key.
func (l *library) read(ctx context.Context, a address) (string, error) {
	open := l.get
	if a.file != "" {
		open = openFile
	}
	source, err := open(ctx, a)
	if err != nil {
		return "", err
	}
	defer source.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(io.LimitReader(source, l.maxBytes+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("read: %w", err)
	case int64(len(text)) > l.maxBytes:
		return "", fmt.Errorf("larger than %d bytes", l.maxBytes)
	case !utf8.Valid(text):
		return "", errors.New("not UTF-8")
	case strings.TrimSpace(string(text)) == "":
		return "", errors.New("empty")
	}
	return string(text), nil
}

// get asks for a URL.
func (l *library) get(ctx context.Context, a address) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return nil, withoutURL(err)
	}
	resp, err := l.client.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	return resp.Body, nil
}

// openFile opens a regular file: opening a pipe could wait for ever.
func openFile(_ context.Context, a address) (io.ReadCloser, error) {
	info, err := os.Stat(a.file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	return os.Open(a.file)
}

// withoutURL drops the address from the client's error.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
