package oauthserver_test

import (
	"sync"

	"github.com/truegrant/truegrant/api/apitest"
)

// together runs do n times at once and returns the answers.
func together(n int, do func(i int) *apitest.Response) []*apitest.Response {
	answers := make([]*apitest.Response, n)
	start := make(chan struct{})
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() {
			<-start
			answers[i] = do(i)
		})
	}
	close(start)
	running.Wait()
	return answers
}
