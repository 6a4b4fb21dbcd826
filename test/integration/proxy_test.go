package integration

import (
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"
)

// proxy carries the connections of a controller to the API server. It cannot read
// them, for they are encrypted, but it can cut them, and it can tell when a
// piece of a request is about to be sent.
type proxy struct {
	listener net.Listener
	server   string
	// kubeconfig is the controller's, with the proxy's address.
	kubeconfig string
	running    sync.WaitGroup

	mu     sync.Mutex
	open   map[net.Conn]struct{}
	closed bool
	// carried counts the connections so far.
	carried int
	// left counts pieces down to the call of trip, which says whether that piece is
	// to be sent; 0 counts nothing.
	left int
	trip func() bool
}

func startProxy(t *testing.T) *proxy {
	t.Helper()
	config, err := clientcmd.LoadFromFile(shared.kubeconfig)
	require.NoError(t, err)
	p := &proxy{open: map[net.Conn]struct{}{}}
	p.listener, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	for _, cluster := range config.Clusters {
		address, err := url.Parse(cluster.Server)
		require.NoError(t, err)
		p.server = address.Host
		address.Host = p.listener.Addr().String()
		cluster.Server = address.String()
	}
	p.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, clientcmd.WriteToFile(*config, p.kubeconfig))
	p.running.Go(p.accept)
	t.Cleanup(func() {
		_ = p.listener.Close()
		p.disconnect()
		p.running.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil || !p.keep(client, server) {
			_ = client.Close()
			continue
		}
		p.running.Go(func() { p.carry(server, client, p.count) })
		p.running.Go(func() { p.carry(client, server, func() bool { return true }) })
	}
}

// keep takes note of a connection's two ends, unless there are to be none.
func (p *proxy) keep(ends ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, end := range ends {
		if p.closed {
			_ = end.Close()
			continue
		}
		p.open[end] = struct{}{}
	}
	if !p.closed {
		p.carried++
	}
	return !p.closed
}

func (p *proxy) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.carried
}

func (p *proxy) carry(to io.WriteCloser, from io.ReadCloser, allow func() bool) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if !allow() {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// count is called before each piece that goes to the API server.
func (p *proxy) count() (send bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left == 0 {
		return true
	}
	if p.left--; p.left == 0 {
		return p.trip()
	}
	return true
}

// after has the function called before the n-th piece from now on is sent, to say
// whether it is sent at all.
func (p *proxy) after(n int, trip func() bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left, p.trip = n, trip
}

// cut ends all connections; the client may make new ones.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for end := range p.open {
		_ = end.Close()
	}
	clear(p.open)
}

// disconnect is cut, and no new connection lasts until connect.
func (p *proxy) disconnect() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cut()
}

func (p *proxy) connect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = false
}
