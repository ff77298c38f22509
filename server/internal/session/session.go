// Package session keeps people logged in to the page by a cookie. Any server with the same
// secret knows whom it gave a cookie to. A session ends with the password that it began with,
// with its user, and some time after its last use. One that its user ended is remembered in the
// store, so that a copy of the cookie is worth nothing to any server.
package session

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/htpasswd"
	"container-registry/server/internal/token"
)

const (
	// idle is how long a session lasts after its last use, and longest how long at all.
	idle    = 30 * time.Minute
	longest = 12 * time.Hour
	// renewal is how long a cookie stays as it is.
	renewal = 2 * time.Minute
)

// Keeper gives and takes the cookies of one registry.
type Keeper struct {
	key []byte
	// name is another one for each registry: browsers send a cookie to all ports of a host.
	name, path string
	secure     bool
	ended      *ended
}

// While has the store asked for no session while it is known not to answer.
func (k *Keeper) While(answers func(context.Context) bool) *Keeper {
	k.ended.answers = answers
	return k
}

// New is for http.secret, the path below which the page is, and the registry's store. A secure
// cookie is never sent in clear.
func New(secret, path string, secure bool, store storagedriver.StorageDriver) *Keeper {
	key := token.Key(secret, "session")
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("name"))
	name := "container-registry-" + hex.EncodeToString(mac.Sum(nil)[:4])
	if secure {
		name = "__Secure-" + name
	}
	return &Keeper{key: key, name: name, path: path, secure: secure, ended: newEnded(store)}
}

// claims are what a cookie says.
type claims struct {
	// ID stays the same while the session goes on.
	ID   string `json:"id"`
	User string `json:"user"`
	// Began and Used are in seconds since 1970.
	Began int64 `json:"began"`
	Used  int64 `json:"used"`
}

// longest is when a session ends however often it is used.
func (c claims) longest() time.Time { return time.Unix(c.Began, 0).Add(longest) }

// Begin logs a user in.
func (k *Keeper) Begin(w http.ResponseWriter, users *htpasswd.Users, user string, now time.Time) {
	k.give(w, users, claims{rand.Text(), user, now.Unix(), now.Unix()}, now)
}

// End logs out. It fails where other servers of the registry can't be told yet.
func (k *Keeper) End(w http.ResponseWriter, r *http.Request, users *htpasswd.Users, now time.Time) error {
	k.set(w, "", -1)
	if said, ok := k.of(r, users, now); ok {
		return k.ended.add(r.Context(), said, now)
	}
	return nil
}

// User is who has the session of a request, which goes on; empty without one.
func (k *Keeper) User(w http.ResponseWriter, r *http.Request, users *htpasswd.Users, now time.Time) string {
	said, ok := k.of(r, users, now)
	if !ok {
		return ""
	}
	if now.Sub(time.Unix(said.Used, 0)) >= renewal {
		said.Used = now.Unix()
		k.give(w, users, said, now)
	}
	return said.User
}

// of is what the cookie of a request says, if it is in force.
func (k *Keeper) of(r *http.Request, users *htpasswd.Users, now time.Time) (said claims, ok bool) {
	cookie, err := r.Cookie(k.name)
	if err != nil {
		return said, false
	}
	if said, ok = k.read(cookie.Value, users, now); !ok {
		return said, false
	}
	return said, !k.ended.has(r.Context(), said, now)
}

func (k *Keeper) read(value string, users *htpasswd.Users, now time.Time) (said claims, ok bool) {
	text, signature, _ := strings.Cut(value, ".")
	payload, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(payload, &said) != nil || !users.Known(said.User) {
		return said, false
	}
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !hmac.Equal(given, k.sign(users, said.User, text)) {
		return said, false
	}
	return said, now.Before(time.Unix(said.Used, 0).Add(idle)) && now.Before(said.longest())
}

func (k *Keeper) give(w http.ResponseWriter, users *htpasswd.Users, said claims, now time.Time) {
	// Nothing in it can fail to be written.
	payload, _ := json.Marshal(said)
	text := base64.RawURLEncoding.EncodeToString(payload)
	left := min(idle, said.longest().Sub(now))
	k.set(w, text+"."+base64.RawURLEncoding.EncodeToString(k.sign(users, said.User, text)), int(left.Seconds()))
}

func (k *Keeper) set(w http.ResponseWriter, value string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: k.name, Value: value, Path: k.path, MaxAge: age,
		HttpOnly: true, Secure: k.secure, SameSite: http.SameSiteStrictMode,
	})
}

// sign binds a cookie to the passwords that its user has now.
func (k *Keeper) sign(users *htpasswd.Users, user, text string) []byte {
	passwords := users.Passwords(user)
	mac := hmac.New(sha256.New, k.key)
	mac.Write(passwords[:])
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
