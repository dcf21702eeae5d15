package mailer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

// zone is what a DNS server of a test knows about a host.
type zone struct {
	mx      []string
	a       [][4]byte
	code    dnsmessage.RCode // of a host without records
	silence bool             // no answer at all
}

// dnsServer answers on a loopback UDP port, and counts questions.
type dnsServer struct {
	zones map[string]zone
	conn  net.PacketConn
	mu    sync.Mutex
	asked []string
}

func (s *dnsServer) questions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// newResolver is the standard library's resolver in front of such a server.
func newResolver(t *testing.T, zones map[string]zone) (*net.Resolver, *dnsServer) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &dnsServer{zones: zones, conn: conn}
	done := make(chan struct{})
	go func() { defer close(done); s.serve() }()
	t.Cleanup(func() { conn.Close(); <-done })
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
		},
	}, s
}

func (s *dnsServer) serve() {
	buffer := make([]byte, 1500)
	for {
		n, peer, err := s.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		q := m.Questions[0]
		s.mu.Lock()
		s.asked = append(s.asked, q.Type.String()[len("Type"):]+" "+q.Name.String())
		s.mu.Unlock()
		if z := s.zones[strings.TrimSuffix(q.Name.String(), ".")]; !z.silence {
			reply := answerFor(q, z)
			reply.ID = m.ID
			if raw, err := reply.Pack(); err == nil {
				_, _ = s.conn.WriteTo(raw, peer)
			}
		}
	}
}

func answerFor(q dnsmessage.Question, z zone) dnsmessage.Message {
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{Response: true, RecursionAvailable: true, RCode: z.code},
		Questions: []dnsmessage.Question{q},
	}
	header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}
	switch q.Type {
	case dnsmessage.TypeMX:
		for _, host := range z.mx {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: header, Body: &dnsmessage.MXResource{Pref: 10, MX: dnsmessage.MustNewName(host)},
			})
		}
	case dnsmessage.TypeA:
		for _, address := range z.a {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: address}})
		}
	}
	return m
}

// newEdge is an HTTPS server that plays every host, and the way to it.
func newEdge(t *testing.T, handler http.HandlerFunc) *http.Transport {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}
