// Package htpasswd reads a file of users: the standard htpasswd format, and comment
// lines that this server understands and others ignore.
//
//	#!sha256 <hex>                                        first line only; the sum of all that follows it
//	#!access <user> <push-pull|pull> [<pattern> ...]      without it, a user may do everything
//	#!anonymous pull [<pattern> ...]                      who is not logged in may pull
//	<user>:<bcrypt hash>                                  more than one line per user is more than one password
package htpasswd

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// longest is what bcrypt looks at. It would take any longer password that begins
// with the same bytes.
const longest = 72

// Users is the content of a file. It never changes.
type Users struct {
	sum       [sha256.Size]byte
	hashes    map[string][][]byte
	rights    map[string]Rights
	anonymous *Rights
	// cost is the highest of a password.
	cost int
	// tries is the largest number of passwords a user has.
	tries int
}

// Sum identifies the content.
func (u *Users) Sum() [sha256.Size]byte { return u.sum }

// Any tells whether there is anybody to log in.
func (u *Users) Any() bool { return len(u.hashes) > 0 }

// Known tells whether there is such a user.
func (u *Users) Known(name string) bool { return u.hashes[name] != nil }

// Passwords identify those that a user has now, without telling anything of them.
func (u *Users) Passwords(name string) [sha256.Size]byte {
	return sha256.Sum256(bytes.Join(u.hashes[name], []byte{'\n'}))
}

// Password identifies one of a user's, without telling anything of it.
type Password string

func passwordOf(hash []byte) Password {
	sum := sha256.Sum256(hash)
	return Password(base64.RawURLEncoding.EncodeToString(sum[:]))
}

// Holds tells whether the user has the password now.
func (u *Users) Holds(name string, password Password) bool {
	return slices.ContainsFunc(u.hashes[name], func(hash []byte) bool { return passwordOf(hash) == password })
}

// Rights are those of a known user.
func (u *Users) Rights(name string) Rights {
	r, ok := u.rights[name]
	switch {
	case !ok:
		return FullRights
	case u.anonymous != nil:
		// What may be pulled without a login, may be pulled with one.
		return Rights{slices.Concat(r.grants, u.anonymous.grants)}
	default:
		return r
	}
}

// Anonymous are the rights without login, nil when there are none.
func (u *Users) Anonymous() *Rights { return u.anonymous }

// Check compares the password with those of the user, and returns which of them it is. A
// refusal takes the same time whether the user exists or not, and however many passwords
// there are.
func (u *Users) Check(name, password string) (Password, bool) {
	given := []byte(password)
	defer clear(given)
	// After a NUL bcrypt takes the password once more: there would be others that match.
	hashes, fits := u.hashes[name], len(given) <= longest && !bytes.Contains(given, []byte{0})
	for _, hash := range hashes {
		if bcrypt.CompareHashAndPassword(hash, given) == nil && fits {
			return passwordOf(hash), true
		}
	}
	for _, dummy := range u.dummies(hashes) {
		_ = bcrypt.CompareHashAndPassword(dummy, given)
	}
	return "", false
}

// dummies are hashes that nothing matches. Together with them, those of a user are as costly as
// the largest number of passwords at the highest cost.
func (u *Users) dummies(hashes [][]byte) (all [][]byte) {
	for _, hash := range hashes {
		// Each cost is twice the one below: one more of the hash's own makes it the next.
		cost, _ := bcrypt.Cost(hash)
		for ; cost < u.cost; cost++ {
			all = append(all, dummyHash(cost))
		}
	}
	for range u.tries - len(hashes) {
		all = append(all, dummyHash(u.cost))
	}
	return all
}

func dummyHash(cost int) []byte {
	digits := string([]byte{'0' + byte(cost/10), '0' + byte(cost%10)})
	return []byte("$2a$" + digits + "$" + strings.Repeat("A", 53))
}
