package openapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync"
	"time"
)

// Path is where the description is served.
const Path = "/openapi.json"

// Handler serves the description. It is rendered for the first who asks: most
// servers are never asked, and should not spend time and memory on it.
func Handler(about About) func(w http.ResponseWriter, r *http.Request) error {
	type rendered struct {
		body []byte
		etag string
	}
	render := sync.OnceValues(func() (*rendered, error) {
		body, err := Document(about)
		if err != nil {
			return nil, err
		}
		digest := sha256.Sum256(body)
		return &rendered{body, `"` + hex.EncodeToString(digest[:16]) + `"`}, nil
	})
	return func(w http.ResponseWriter, r *http.Request) error {
		document, err := render()
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "public, max-age=600")
		w.Header().Set("ETag", document.etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(document.body))
		return nil
	}
}
