package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"

	"github.com/truegrant/truegrant/api/apierror"
)

// MaxBody is the longest request body that is read, in bytes.
const MaxBody = 1 << 20

// Decode reads the JSON body of a request, whatever its content type says. A
// form is the exception: as with GoTrue it counts as no body. null is an empty
// object; unknown members are ignored.
func Decode[T any](r *http.Request) (*T, error) {
	raw, err := Body(r)
	if err != nil {
		return nil, err
	}
	if isForm(r) {
		raw = nil
	}
	into := new(T)
	if err := json.Unmarshal(raw, into); err != nil {
		return nil, badJSON(err)
	}
	// PostgreSQL keeps no NUL in text, so such a string could not be stored.
	if escapesNUL(raw) {
		return nil, badJSON(errors.New("the character U+0000 is not allowed"))
	}
	return into, nil
}

// DecodeOptional is Decode for a body that may be missing. One that is there
// must be understood.
func DecodeOptional[T any](r *http.Request) (*T, error) {
	raw, err := Body(r)
	if err != nil {
		return nil, err
	}
	if len(raw) == 0 {
		return new(T), nil
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	return Decode[T](r)
}

// Peek is Decode for those who come before the handler: the body is left as it
// was.
func Peek[T any](r *http.Request) (*T, error) {
	raw, err := Body(r)
	if err != nil {
		return nil, err
	}
	rewind := func() { r.Body = io.NopCloser(bytes.NewReader(raw)) }
	defer rewind()
	rewind()
	return Decode[T](r)
}

// escapesNUL reports whether JSON text holds the escape sequence of U+0000,
// which is not the same as those characters after an escaped backslash.
func escapesNUL(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if bytes.HasPrefix(raw[i:], []byte("u0000")) {
			return true
		}
	}
	return false
}

// Form reads the parameters of the query and, if the body is a form, those of
// the body, up to MaxBody, which come first. What is malformed counts as
// missing. A multipart body is left alone: reading it would fill the disk.
func Form(r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, MaxBody)
	var tooLarge *http.MaxBytesError
	if err := r.ParseForm(); errors.As(err, &tooLarge) {
		return nil, TooLarge()
	}
	return r.Form, nil
}

// Body reads the whole body, which LimitBody bounds.
func Body(r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, TooLarge()
	case err != nil:
		return nil, badJSON(err)
	}
	return raw, nil
}

// TooLarge is the answer to a body beyond MaxBody.
func TooLarge() error {
	return apierror.New(http.StatusRequestEntityTooLarge, apierror.RequestEntityTooLarge,
		fmt.Sprintf("Request body too large (max %d bytes)", MaxBody))
}

func badJSON(err error) error {
	return apierror.New(http.StatusBadRequest, apierror.BadJSON, "Could not parse request body as JSON: "+err.Error())
}

func isForm(r *http.Request) bool {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return mediaType == "application/x-www-form-urlencoded"
}

// JSON answers with a JSON body.
func JSON(w http.ResponseWriter, status int, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode response: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the caller has gone if this fails
	return nil
}

// NoStore forbids to keep an answer that holds tokens, codes or secrets
// (RFC 6749 §5.1).
func NoStore(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
}

// NoContent answers 204.
func NoContent(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}
