package notify

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/notifications"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/logging"
	"container-registry/server/internal/writes"
)

const (
	// mostOfText is how much of an event a text that the client chooses may take up.
	mostOfText = 256
	// mostOfEnvelope is how many events are sent together: an image may have thousands of tags, and
	// the deletion of each is an event.
	mostOfEnvelope = 500
)

// source is the server that events come from.
type source struct {
	notifications.SourceRecord
	// base is the URL of the API. Without http.host no event says where its content is, because
	// only the client has said how it reached the registry.
	base string
}

func sourceOf(http configuration.HTTP) source {
	// Without the machine's name, the instance's ID still identifies it.
	name, _ := os.Hostname()
	s := source{SourceRecord: notifications.SourceRecord{Addr: name, InstanceID: rand.Text()}}
	if http.Host != "" {
		s.base = strings.TrimSuffix(http.Host, "/") + path.Join("/", http.Prefix, "v2") + "/"
	}
	return s
}

// eventsOf returns the events that the engine would send: one for a manifest, with its tag, and one
// for each other tag. A pushed blob is not an event: an image without its manifest is not news.
func (s source) eventsOf(w writes.Write) []notifications.Event {
	if w.Kind == writes.Blob {
		return nil
	}
	request := rand.Text()
	event := func(tag string, withContent bool) notifications.Event {
		e := notifications.Event{
			ID:        rand.Text(),
			Timestamp: w.Time.UTC(),
			Action:    string(w.Action),
			Request: notifications.RequestRecord{
				ID:        request,
				Addr:      logging.Bound(w.Address, mostOfText),
				Method:    map[writes.Action]string{writes.Push: "PUT", writes.Delete: "DELETE"}[w.Action],
				UserAgent: logging.Bound(w.UserAgent, mostOfText),
			},
			Actor:  notifications.ActorRecord{Name: logging.Bound(w.User, mostOfText)},
			Source: s.SourceRecord,
		}
		e.Target.Repository, e.Target.Tag = logging.Bound(w.Repository, mostOfText), logging.Bound(tag, mostOfText)
		if withContent {
			e.Target.Descriptor = v1.Descriptor{MediaType: logging.Bound(w.MediaType, mostOfText), Digest: w.Digest, Size: w.Size}
			e.Target.Length = w.Size
			if s.base != "" && w.Action == writes.Push {
				e.Target.URL = s.base + e.Target.Repository + "/manifests/" + w.Digest.String()
			}
		}
		return e
	}
	var list []notifications.Event
	if w.Kind == writes.Manifest && (w.Action == writes.Delete || len(w.Tags) == 0) {
		list = append(list, event("", true))
	}
	for _, tag := range w.Tags {
		list = append(list, event(tag.Name, w.Action == writes.Push))
	}
	return list
}

// envelope holds the events of one request. Sorting envelopes by name puts them in order.
type envelope struct {
	name    string
	content []byte
}

// content is the engine's envelope, whose own type takes events of any kind.
type content struct {
	Events []notifications.Event `json:"events"`
}

// timeOfName has the same number of digits for every time.
const timeOfName = "20060102T150405.000000000Z"

func envelopesOf(list []notifications.Event, at time.Time) ([]envelope, error) {
	var all []envelope
	for begin := 0; begin < len(list); begin += mostOfEnvelope {
		content, err := json.Marshal(content{list[begin:min(begin+mostOfEnvelope, len(list))]})
		if err != nil {
			return nil, err
		}
		all = append(all, envelope{at.UTC().Format(timeOfName) + "-" + rand.Text(), content})
		at = at.Add(time.Nanosecond)
	}
	return all, nil
}

// timeOf returns the time at which the events of an envelope with this name happened.
func timeOf(name string) (time.Time, error) {
	stamp, _, _ := strings.Cut(name, "-")
	return time.Parse(timeOfName, stamp)
}
