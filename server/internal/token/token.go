// Package token makes and checks the short-lived tokens of clients that log in
// through the token endpoint.
package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"container-registry/server/internal/htpasswd"
)

// Lifetime of a token. A client asks for a new one when it is over, also in the
// middle of a push.
const Lifetime = 5 * time.Minute

// ErrInvalid is a token that this server did not make, is too old, or was made for a
// password that counts no more.
var ErrInvalid = errors.New("the token is not valid")

// longest leaves room for what else clients send in a header of 16 KiB, and proxies add.
const longest = 12 << 10

// ErrTooLong is a token that no client could send.
var ErrTooLong = fmt.Errorf("the token would be longer than %d bytes, and leave no room in a header of 16 KiB", longest)

// Claims are what a token says.
type Claims struct {
	// Subject is the user, empty when not logged in.
	Subject string `json:"sub,omitempty"`
	// Password is the one the user logged in with. The token ends with it, and with no other change
	// of the users: clients get no other one in the middle of a transfer.
	Password htpasswd.Password `json:"password,omitempty"`
	Access   []Grant           `json:"access,omitempty"`
	Expires  int64             `json:"exp"`
}

// Issued is when the token was made, by the clock of the server that did.
func (c *Claims) Issued() time.Time { return time.Unix(c.Expires, 0).Add(-Lifetime) }

// Grant is what may be done with a resource.
type Grant struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

// Covers tells whether the token was made for this. Without a token there is nothing
// that limits its bearer.
func (c *Claims) Covers(kind, name, action string) bool {
	if c == nil {
		return true
	}
	for _, g := range c.Access {
		if g.Type == kind && g.Name == name && slices.Contains(g.Actions, action) {
			return true
		}
	}
	return false
}

// Issuer signs tokens.
type Issuer struct {
	secret []byte
}

// NewIssuer takes the secret that all replicas of a server share; without one, a
// token is good for this process only.
func NewIssuer(shared string) *Issuer {
	return &Issuer{Key(shared, "token")}
}

// Key is made of a secret for one use; of none it is a random one. The secret has other
// uses in the engine; this keeps them apart.
func Key(shared, use string) []byte {
	if shared == "" {
		secret := make([]byte, sha256.Size)
		// Never fails, by its documentation.
		_, _ = rand.Read(secret)
		return secret
	}
	mac := hmac.New(sha256.New, []byte(shared))
	mac.Write([]byte("container-registry " + use))
	return mac.Sum(nil)
}

// Issue makes a token.
func (i *Issuer) Issue(claims Claims, now time.Time) (string, error) {
	claims.Expires = now.Add(Lifetime).Unix()
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	if base64.RawURLEncoding.EncodedLen(len(payload)) > longest {
		return "", ErrTooLong
	}
	text := base64.RawURLEncoding.EncodeToString(payload)
	return text + "." + base64.RawURLEncoding.EncodeToString(i.sign(text)), nil
}

// Verify returns what the token says. Whoever is let in by it has to have the rights for that still.
func (i *Issuer) Verify(users *htpasswd.Users, token string, now time.Time) (*Claims, error) {
	text, signature, _ := strings.Cut(token, ".")
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !hmac.Equal(given, i.sign(text)) {
		return nil, ErrInvalid
	}
	payload, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, ErrInvalid
	}
	var claims Claims
	if err := json.Unmarshal(payload, &claims); err != nil || now.Unix() >= claims.Expires {
		return nil, ErrInvalid
	}
	if claims.Subject != "" && !users.Holds(claims.Subject, claims.Password) {
		return nil, ErrInvalid
	}
	return &claims, nil
}

func (i *Issuer) sign(text string) []byte {
	mac := hmac.New(sha256.New, i.secret)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
