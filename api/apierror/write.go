package apierror

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// version2024 is the API version whose error shape differs.
const version2024 = "2024-01-01"

// versionHeader chooses the API version in requests and echoes it in errors.
const versionHeader = "X-Supabase-Api-Version"

// legacyBody is the shape of errors without a version.
type legacyBody struct {
	Code      int          `json:"code"`
	ErrorCode Code         `json:"error_code"`
	Message   string       `json:"msg"`
	ErrorID   string       `json:"error_id,omitempty"`
	Weak      *weakDetails `json:"weak_password,omitempty"`
}

// body2024 is the shape of errors since 2024-01-01.
type body2024 struct {
	Code    Code         `json:"code"`
	Message string       `json:"message"`
	Weak    *weakDetails `json:"weak_password,omitempty"`
}

type weakDetails struct {
	Reasons []string `json:"reasons"`
}

// Versioned reports whether a request asks for the newer shapes, and marks the
// answer as such.
func Versioned(w http.ResponseWriter, r *http.Request) bool {
	asked, err := time.Parse(time.DateOnly, r.Header.Get(versionHeader))
	known, _ := time.Parse(time.DateOnly, version2024)
	if err != nil || asked.Before(known) {
		return false
	}
	w.Header().Set(versionHeader, version2024)
	return true
}

// Write answers a request with the error. requestID helps to find the log line
// of an explicit server error.
func (e *Error) Write(w http.ResponseWriter, r *http.Request, requestID string) {
	versioned := Versioned(w, r)
	if e.Code != "" && (e.Code != WeakPassword || !versioned) {
		w.Header().Set("X-Sb-Error-Code", string(e.Code))
	}
	if e.RetryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.RetryAfterSeconds))
	}
	var weak *weakDetails
	if e.Reasons != nil {
		weak = &weakDetails{e.Reasons}
	}
	var body any = body2024{Code: e.shownCode(), Message: e.Message, Weak: weak}
	if !versioned {
		legacy := legacyBody{Code: e.Status, ErrorCode: e.shownCode(), Message: e.Message, Weak: weak}
		if e.Status >= http.StatusInternalServerError && (e.Code != "" || e.uncoded) {
			legacy.ErrorID = requestID
		}
		body = legacy
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	_ = json.NewEncoder(w).Encode(body) // the caller has gone if this fails
}

// shownCode fills in the code of an error that carries none.
func (e *Error) shownCode() Code {
	switch {
	case e.Code != "":
		return e.Code
	case e.Status == http.StatusInternalServerError:
		return UnexpectedFailure
	}
	return Unknown
}
