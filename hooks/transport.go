package hooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/truegrant/truegrant/observability"
)

// maxReplyHeader bounds the header of an answer, in bytes.
const maxReplyHeader = 64 << 10

// newClient returns the client for all HTTP hooks. The context of each call
// limits its time.
func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    32, // a hook on every token must not reconnect
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: maxReplyHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// retry says that another attempt may help.
type retry struct {
	pause bool   // wait first
	final *Error // the outcome if no attempt is left
}

func (r *retry) Error() string { return r.final.Error() }

// post sends payload until it is answered, attempts or time are used up, or ctx
// is done. It returns nil for an answer without content.
func (h *Hooks) post(ctx context.Context, e endpoint, payload []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, h.budget, fail(ErrTimeout, nil))
	defer cancel()
	for attempt := 1; ; attempt++ {
		reply, err := h.attempt(ctx, e, payload)
		if err == nil {
			return reply, nil
		}
		if ctx.Err() != nil {
			return nil, gaveUp(ctx)
		}
		var again *retry
		if !errors.As(err, &again) {
			return nil, err
		}
		if attempt == maxAttempts {
			return nil, again.final
		}
		if again.pause && h.pause(ctx, pauseLength) != nil {
			return nil, gaveUp(ctx)
		}
	}
}

// gaveUp tells our own limit, an *Error, from the caller's context.
func gaveUp(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return fail(ErrTimeout, nil) // a pause that ended early without reason
}

// attempt sends payload once. Every attempt is a message of its own, with its
// own id and time.
func (h *Hooks) attempt(ctx context.Context, e endpoint, payload []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.address, bytes.NewReader(payload))
	if err != nil {
		return nil, fail(ErrRequest, withoutURL(err))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept-Encoding", "identity")
	observability.Propagate(ctx, req.Header)
	if err := h.sign(req.Header, e, payload); err != nil {
		return nil, err
	}

	resp, err := h.client.Do(req)
	if err != nil {
		return nil, &retry{pause: true, final: fail(ErrUnreachable, withoutURL(err))}
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	return readReply(resp)
}

// sign adds the headers of Standard Webhooks, with one signature per secret.
// Without secrets the signature is present and empty.
func (h *Hooks) sign(header http.Header, e endpoint, payload []byte) error {
	if e.unsignable {
		return failf(ErrSignature, nil, "%s: invalid signature format", ErrSignature)
	}
	id, err := h.ids.NewV4()
	if err != nil {
		return failf(ErrSignature, err, "%s: no message id", ErrSignature)
	}
	now := h.now()
	signatures := make([]string, len(e.signers))
	for i, signer := range e.signers {
		if signatures[i], err = signer.Sign(id.String(), now, payload); err != nil {
			return failf(ErrSignature, err, "%s: %v", ErrSignature, err)
		}
	}
	header.Set(standardwebhooks.HeaderWebhookID, id.String())
	header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, ", "))
	return nil
}

// readReply turns an HTTP answer into its content or the failure it stands for.
func readReply(resp *http.Response) ([]byte, error) {
	switch resp.StatusCode {
	case http.StatusNoContent:
		return nil, nil
	case http.StatusOK, http.StatusAccepted:
		if err := checkContentType(resp.Header.Get("Content-Type")); err != nil {
			return nil, err
		}
		return readBody(resp.Body)
	case http.StatusBadRequest:
		return nil, fail(ErrPayloadRefused, nil)
	case http.StatusUnauthorized:
		return nil, fail(ErrUnauthorized, nil)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		err := fail(ErrUnavailable, nil)
		if resp.Header.Values("Retry-After") != nil {
			return nil, &retry{final: err} // at once: GoTrue does not wait either
		}
		return nil, err
	}
	return nil, failf(ErrUnexpectedStatus, nil, "%s: %d", ErrUnexpectedStatus, resp.StatusCode)
}

// checkContentType accepts application/json with any parameters.
func checkContentType(contentType string) error {
	if contentType == "" {
		return failf(ErrContentType, nil, "%s: Missing Content-Type header", ErrContentType)
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return failf(ErrContentType, err, "%s header: %v", ErrContentType, err)
	}
	if mediaType != "application/json" {
		return failf(ErrContentType, nil, "Invalid JSON response. Received content-type: %s", contentType)
	}
	return nil
}

// readBody reads at most maxReply bytes. An empty body is an answer that is no
// JSON, not an answer without content.
func readBody(body io.Reader) ([]byte, error) {
	reply, err := io.ReadAll(io.LimitReader(body, maxReply+1))
	switch {
	case err != nil:
		return nil, fail(ErrBadReply, fmt.Errorf("read answer: %w", err))
	case len(reply) > maxReply:
		return nil, fail(ErrTooLarge, nil)
	case len(reply) == 0:
		return nil, fail(ErrBadReply, io.ErrUnexpectedEOF)
	}
	return reply, nil
}

// withoutURL drops the address from the client's error: its query may carry a
// key, and the cause goes to the log.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
