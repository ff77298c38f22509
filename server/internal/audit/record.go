package audit

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/logging"
	"container-registry/server/internal/writes"
)

// mostOfText is how much of a line each text that the client chooses may take up. The specification
// keeps names of repositories and tags shorter.
const mostOfText = 256

// record is a line.
type record struct {
	Time       time.Time     `json:"time"`
	Action     string        `json:"action"`
	Kind       writes.Kind   `json:"kind,omitempty"`
	User       string        `json:"user,omitempty"`
	Address    string        `json:"address,omitempty"`
	UserAgent  string        `json:"useragent,omitempty"`
	Repository string        `json:"repository,omitempty"`
	Tag        string        `json:"tag,omitempty"`
	From       digest.Digest `json:"from,omitempty"`
	To         digest.Digest `json:"to,omitempty"`
	Digest     digest.Digest `json:"digest,omitempty"`
	MediaType  string        `json:"mediatype,omitempty"`
	Size       int64         `json:"size,omitempty"`
	Refused    bool          `json:"refused,omitempty"`
	Reason     string        `json:"reason,omitempty"`
	// Omitted is the number of similar records that were left out just before this one.
	Omitted int `json:"omitted,omitempty"`
}

func recordOf(user, remoteAddress, userAgent string) record {
	host, _, err := net.SplitHostPort(remoteAddress)
	if err != nil {
		host = remoteAddress
	}
	return record{
		Time:      time.Now().UTC(),
		User:      logging.Bound(user, mostOfText),
		Address:   logging.Bound(host, mostOfText),
		UserAgent: logging.Bound(userAgent, mostOfText),
	}
}

// Observe adds a line for a write, or for each of the tags that it changed, as long as its user's share is
// not used up.
func (l *Log) Observe(_ context.Context, w writes.Write) {
	for _, each := range recordsOf(w) {
		line, _ := json.Marshal(each)
		omitted, ok := l.shares.admit(each.User, len(line), time.Now())
		if ok {
			each.Omitted = omitted
			l.add(l.writes, each)
		}
	}
}

// ObserveRefusal adds a line for a write that its client has no right to, with only the first of its
// tags: a refused write can name any number of them.
func (l *Log) ObserveRefusal(_ context.Context, w writes.Write) {
	bound := &l.denied
	if w.User == "" {
		// Strangers must not use up the lines of users.
		bound = &l.strangers
	}
	omitted, ok := bound.admit(w.Time)
	if !ok {
		return
	}
	line := recordsOf(w)[0]
	line.Refused, line.Omitted = true, omitted
	l.add(l.refused, line)
}

func recordsOf(w writes.Write) []record {
	r := recordOf(w.User, w.Address, w.UserAgent)
	r.Time, r.Action, r.Kind = w.Time.UTC(), string(w.Action), w.Kind
	r.Repository, r.Digest, r.Size = logging.Bound(w.Repository, mostOfText), w.Digest, w.Size
	r.MediaType, r.Reason = logging.Bound(w.MediaType, mostOfText), logging.Bound(w.Reason, mostOfText)
	if len(w.Tags) == 0 {
		return []record{r}
	}
	var all []record
	for _, tag := range w.Tags {
		r.Tag, r.From = logging.Bound(tag.Name, mostOfText), tag.From
		if w.Action == writes.Push {
			r.To = w.Digest
		}
		all = append(all, r)
	}
	return all
}

// Refused adds a line for a login that failed. The name of the user is empty if there is no such
// user: what the client gave may be a password in the wrong place.
func (l *Log) Refused(r *http.Request, user string) {
	omitted, ok := l.failures.admit(time.Now())
	if !ok {
		return
	}
	line := recordOf(user, r.RemoteAddr, r.UserAgent())
	line.Action, line.Reason, line.Omitted = "login", "wrong password", omitted
	if user == "" {
		line.Reason = "unknown user"
	}
	l.add(l.refused, line)
}
