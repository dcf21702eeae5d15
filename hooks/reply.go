package hooks

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// decodeReply reads a hook's answer: first as a refusal, then into output.
// No reply means no output.
func decodeReply(reply []byte, output any) error {
	if reply == nil {
		return nil
	}
	var envelope struct {
		Error struct {
			HTTPCode int    `json:"http_code"`
			Message  string `json:"message"`
		} `json:"error"`
	}
	// An error member of another shape fails here: a hook that tries to refuse
	// and gets the form wrong must not be taken for one that agrees.
	if err := json.Unmarshal(reply, &envelope); err != nil {
		return fail(ErrBadReply, err)
	}
	if envelope.Error.Message != "" { // without one GoTrue ignores the refusal
		return &Rejection{
			HTTPCode: errorStatus(envelope.Error.HTTPCode),
			Message:  envelope.Error.Message,
		}
	}
	if output == nil {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(reply))
	decoder.UseNumber() // claims of 2^53 and above must survive
	if err := decoder.Decode(output); err != nil {
		return fail(ErrBadReply, err)
	}
	return nil
}

// errorStatus keeps a status that is an error and replaces any other.
func errorStatus(code int) int {
	if code < 400 || code > 599 {
		return http.StatusInternalServerError
	}
	return code
}
