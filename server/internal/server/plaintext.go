package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"

	"github.com/distribution/distribution/v3/registry/api/errcode"
)

// explainTLS gives clients that speak HTTP to a port with TLS a response that they can show. On localhost,
// Docker tries HTTP whenever HTTPS has failed, which is mostly because of a missing login. All it would show of
// net/http's own response is that this is not JSON.
type explainTLS struct {
	net.Listener
}

func (l explainTLS) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return explainingConn{conn}, nil
}

// explainingConn is below TLS, whose records never begin like an HTTP response.
type explainingConn struct {
	net.Conn
}

// NetConn is for callers that set options of the socket.
func (c explainingConn) NetConn() net.Conn { return c.Conn }

func (c explainingConn) Write(content []byte) (int, error) {
	if !bytes.HasPrefix(content, []byte("HTTP/1.0 400 ")) {
		return c.Conn.Write(content)
	}
	body, err := json.Marshal(errcode.Errors{errcode.ErrorCodeUnsupported.WithMessage("this registry speaks HTTPS only; if the client tried that first, it may have to log in; some never do for the name localhost (oras without --plain-http=false, notation, devcontainer): use 127.0.0.1, and log in there; docker manifest push and buildx imagetools never do on either")})
	if err != nil {
		return 0, err
	}
	if _, err := fmt.Fprintf(c.Conn, "HTTP/1.0 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body); err != nil {
		return 0, err
	}
	return len(content), nil
}
