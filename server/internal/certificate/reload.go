// Package certificate serves a certificate that may be replaced while the server
// runs.
package certificate

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"container-registry/server/internal/stamp"
)

// interval is how often the files are looked at: short enough that a rotation is over
// before anyone notices, and a stat costs next to nothing.
const interval = 250 * time.Millisecond

// Reloader holds the certificate in use and replaces it when its files change.
type Reloader struct {
	certificateFile, keyFile string
	log                      *logrus.Entry
	current                  atomic.Pointer[tls.Certificate]

	// Only Watch touches these.
	seen            stamps
	used            [sha256.Size]byte
	suspect, broken string
	notices         []notice
}

// New loads the pair for the first time; a broken one is an error. One that has expired, or is
// not valid yet by this machine's clock, is served nevertheless, as a running server would go on serving it.
func New(certificateFile, keyFile string, log *logrus.Entry) (*Reloader, error) {
	r := &Reloader{certificateFile: certificateFile, keyFile: keyFile, log: log}
	content, err := read(certificateFile, keyFile)
	if err != nil {
		return nil, err
	}
	pair, err := content.pair()
	if err != nil {
		return nil, fmt.Errorf("http.tls.certificate: %q with http.tls.key: %q: %w", certificateFile, keyFile, err)
	}
	now := time.Now()
	if err := untimely(pair.Leaf, now); err != nil {
		log.WithFields(describe(pair)).Errorf("clients may refuse what is served: %v", err)
	}
	r.used, r.notices = content.sum(), notices(pair, now)
	r.current.Store(pair)
	return r, nil
}

// GetCertificate is meant for tls.Config.
func (r *Reloader) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return r.current.Load(), nil
}

// Fields describe the certificate in use, for a log line.
func (r *Reloader) Fields() logrus.Fields {
	return describe(r.current.Load())
}

// Expires returns the time at which the certificate in use ends, or the first of the certificates in its file that it
// is signed by.
func (r *Reloader) Expires() time.Time { return end(r.current.Load()) }

// Watch replaces the certificate whenever its files change, until ctx ends.
func (r *Reloader) Watch(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			r.check(now)
			r.remind(now)
		}
	}
}

func (r *Reloader) check(now time.Time) {
	stamps, err := stampsOf(r.certificateFile, r.keyFile)
	if err != nil {
		r.reject(err, err.Error())
		return
	}
	if stamps == r.seen {
		return
	}
	content, err := read(r.certificateFile, r.keyFile)
	if err != nil {
		r.reject(err, err.Error())
		return
	}
	sum := content.sum()
	if sum != r.used {
		pair, err := content.pair()
		if err == nil {
			err = untimely(pair.Leaf, now)
		}
		if err != nil {
			// The files are looked at again on the next tick: they may be half written, or become valid with time.
			r.reject(err, err.Error()+string(sum[:]))
			return
		}
		r.current.Store(pair)
		r.notices = notices(pair, now)
		r.log.WithFields(describe(pair)).Info("certificate replaced")
	}
	r.used, r.suspect, r.broken = sum, "", ""
	if stamps.settled(now) {
		r.seen = stamps
	}
}

// reject keeps the certificate in use and logs why: once for each broken content,
// and not at all if it is gone at the next look because it was being written.
func (r *Reloader) reject(err error, content string) {
	r.seen = stamps{}
	if r.suspect != content {
		r.suspect = content
		return
	}
	if r.broken == content {
		return
	}
	r.broken = content
	r.log.WithFields(describe(r.current.Load())).Errorf("the new certificate is not used, the old one stays: %v", err)
}

// stamps are the stamps of the certificate file and of the key file.
type stamps struct {
	certificate, key stamp.Stamp
}

func stampsOf(certificateFile, keyFile string) (stamps, error) {
	certificate, err := stamp.Of(certificateFile)
	if err != nil {
		return stamps{}, fmt.Errorf("http.tls.certificate: %w", err)
	}
	key, err := stamp.Of(keyFile)
	if err != nil {
		return stamps{}, fmt.Errorf("http.tls.key: %w", err)
	}
	return stamps{certificate, key}, nil
}

func (s stamps) settled(now time.Time) bool {
	return s.certificate.Settled(now) && s.key.Settled(now)
}
