package oauthserver_test

import (
	"io"
	"net/http"
	"sync"

	"github.com/truegrant/truegrant/api/apitest"
)

// held is a request whose body comes only when open is closed. arrived is
// called once, when the server begins to read it.
type held struct {
	io.ReadCloser
	arrived func()
	open    <-chan struct{}
}

// Read implements io.Reader.
func (h *held) Read(p []byte) (int, error) {
	h.arrived()
	<-h.open
	return h.ReadCloser.Read(p)
}

// together sends n requests, which do makes with the option given, and returns
// their answers. All have arrived at a server before any of them can go on.
func together(n int, do func(i int, hold apitest.Option) *apitest.Response) []*apitest.Response {
	answers := make([]*apitest.Response, n)
	open := make(chan struct{})
	var arrivals, running sync.WaitGroup
	arrivals.Add(n)
	for i := range n {
		arrived := sync.OnceFunc(arrivals.Done)
		running.Go(func() {
			defer arrived() // also if nobody read the body
			answers[i] = do(i, func(r *http.Request) { r.Body = &held{r.Body, arrived, open} })
		})
	}
	arrivals.Wait()
	close(open)
	running.Wait()
	return answers
}
