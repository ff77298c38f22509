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

// sum distinguishes contents without keeping a private key around.
func (f files) sum() [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n", len(f.certificate))
	h.Write(f.certificate)
	h.Write(f.key)
	return [sha256.Size]byte(h.Sum(nil))
}

// pair checks the contents as a client would, except for the time.
func (f files) pair() (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(f.certificate, f.key)
	if err != nil {
		if position := f.leafPosition(); position > 1 {
			return nil, fmt.Errorf("the certificate of the key is number %d in the file; it must be the first", position)
		}
		return nil, errors.New(strings.TrimPrefix(err.Error(), "tls: "))
	}
	return &pair, nil
}

// Check returns the reason why a server or its clients could not use a file with a certificate, the
// certificates that it is signed by and its key, whatever the time.
func Check(content []byte) error {
	pair, err := files{content, content}.pair()
	if err != nil {
		return err
	}
	chain := []*x509.Certificate{pair.Leaf}
	for i, each := range pair.Certificate[1:] {
		issuer, err := x509.ParseCertificate(each)
		if err != nil {
			return fmt.Errorf("certificate number %d in the file: %w", i+2, err)
		}
		chain = append(chain, issuer)
	}
	return verify(chain)
}

// verify checks a chain as a client that trusts its last certificate does.
func verify(chain []*x509.Certificate) error {
	options := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool()}
	for _, each := range chain {
		options.Intermediates.AddCert(each)
		// From the latest NotBefore on, all of them are valid.
		if each.NotBefore.After(options.CurrentTime) {
			options.CurrentTime = each.NotBefore
		}
	}
	options.Roots.AddCert(chain[len(chain)-1])
	_, err := chain[0].Verify(options)
	return err
}

// untimely returns the reason why a client would refuse the certificate at this time.
func untimely(leaf *x509.Certificate, now time.Time) error {
	if now.After(leaf.NotAfter) {
		return fmt.Errorf("the certificate expired on %s", leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	if now.Before(leaf.NotBefore) {
		return fmt.Errorf("the certificate is not valid before %s", leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

// end returns the time at which the first of the served certificates ends.
func end(pair *tls.Certificate) time.Time {
	first := pair.Leaf.NotAfter
	for _, each := range pair.Certificate[1:] {
		// Clients ignore a certificate that can't be read too.
		if issuer, err := x509.ParseCertificate(each); err == nil && issuer.NotAfter.Before(first) {
			first = issuer.NotAfter
		}
	}
	return first
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

// describe says which certificate it is, and how long all certificates of its file are valid, in terms of `openssl x509`.
func describe(pair *tls.Certificate) map[string]any {
	leaf := pair.Leaf
	var names []string
	names = append(names, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	fingerprint := sha256.Sum256(leaf.Raw)
	return map[string]any{
		"subject":     leaf.Subject.String(),
		"names":       strings.Join(names, ","),
		"expires":     end(pair).UTC().Format(time.RFC3339),
		"fingerprint": "sha256:" + hex.EncodeToString(fingerprint[:]),
	}
}
