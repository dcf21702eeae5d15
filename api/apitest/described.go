package apitest

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/truegrant/truegrant/api/openapi"
	"github.com/truegrant/truegrant/api/openapi/check"
)

// description is read once for all tests of a process: compiling its schemas
// takes longer than most requests.
var description = sync.OnceValues(func() (*check.Checker, error) { //nolint:gochecknoglobals // read only
	document, err := openapi.Document(openapi.About{URL: ExternalURL, Version: "test"})
	if err != nil {
		return nil, err
	}
	return check.New(document)
})

// Described fails the test when an exchange is not what the API's description
// says, but lets it go on: requests may come from any goroutine. Do calls it;
// others are for tests that wire a part of the API by themselves.
func Described(t testing.TB, r *http.Request, body []byte, answer *httptest.ResponseRecorder) {
	t.Helper()
	checker, err := description()
	if err != nil {
		t.Errorf("the description of the API cannot be used: %v", err)
		return
	}
	err = checker.Check(check.Exchange{
		Method: r.Method, URL: r.URL, RequestType: r.Header.Get("Content-Type"), Request: body,
		Status: answer.Code, Header: answer.Header(), Response: answer.Body.Bytes(),
	})
	if err != nil {
		t.Errorf("api/openapi/spec does not describe this: %v", err)
	}
}
