package certificate

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// files are the contents of a certificate file and of a key file; both may be the
// same file.
type files struct {
	certificate, key []byte
}

func read(certificateFile, keyFile string) (files, error) {
	certificate, err := os.ReadFile(certificateFile)
	if err != nil {
		return files{}, fmt.Errorf("http.tls.certificate: %w", err)
	}
	if keyFile == certificateFile {
		return files{certificate, certificate}, nil
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return files{}, fmt.Errorf("http.tls.key: %w", err)
	}
	return files{certificate, key}, nil
}

// sum tells contents apart without keeping a private key around.
func (f files) sum() [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n", len(f.certificate))
	h.Write(f.certificate)
	h.Write(f.key)
	return [sha256.Size]byte(h.Sum(nil))
}

// pair checks the contents the way a client would.
func (f files) pair(now time.Time) (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(f.certificate, f.key)
	if err != nil {
		if position := f.leafPosition(); position > 1 {
			return nil, fmt.Errorf("the certificate of the key is number %d in the file; it must be the first", position)
		}
		return nil, errors.New(strings.TrimPrefix(err.Error(), "tls: "))
	}
	leaf := pair.Leaf
	if now.After(leaf.NotAfter) {
		return nil, fmt.Errorf("the certificate expired on %s", leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	if now.Before(leaf.NotBefore) {
		return nil, fmt.Errorf("the certificate is not valid before %s", leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	return &pair, nil
}

// leafPosition is the place of the certificate that belongs to the key, counted
// from 1, or 0 when there is none.
func (f files) leafPosition() int {
	position := 0
	for rest := f.certificate; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return 0
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		position++
		if _, err := tls.X509KeyPair(pem.EncodeToMemory(block), f.key); err == nil {
			return position
		}
	}
}

// describe says which certificate it is, in words that `openssl x509` also uses.
func describe(leaf *x509.Certificate) map[string]any {
	var names []string
	names = append(names, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	fingerprint := sha256.Sum256(leaf.Raw)
	return map[string]any{
		"subject":     leaf.Subject.String(),
		"names":       strings.Join(names, ","),
		"expires":     leaf.NotAfter.UTC().Format(time.RFC3339),
		"fingerprint": "sha256:" + hex.EncodeToString(fingerprint[:]),
	}
}
