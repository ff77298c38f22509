package gcs

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

func (g *google) list(w http.ResponseWriter, prefix, delimiter, after string) {
	var items []*object
	var prefixes []string
	last, next := after, ""
	for _, key := range slices.Sorted(maps.Keys(g.objects)) {
		rest, ok := strings.CutPrefix(key, prefix)
		entry := key
		if folder, _, isFolder := strings.Cut(rest, "/"); delimiter != "" && isFolder {
			entry = prefix + folder + "/"
		}
		if !ok || entry <= last {
			continue
		}
		if len(items)+len(prefixes) == g.page {
			next = last
			break
		}
		last = entry
		if entry != key {
			prefixes = append(prefixes, entry)
		} else {
			items = append(items, g.objects[key])
		}
	}
	say(w, http.StatusOK, map[string]any{"kind": "storage#objects", "items": items, "prefixes": prefixes, "nextPageToken": next})
}

func (g *google) read(w http.ResponseWriter, r *http.Request, key string) {
	found := g.objects[key]
	if found == nil || !g.isOf(r.URL.Query().Get("generation"), key) {
		w.Header().Set("Content-Type", "application/xml; charset=UTF-8")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>")
		return
	}
	file, err := os.Open(found.file)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	defer file.Close()
	w.Header().Set("Content-Type", found.ContentType)
	http.ServeContent(w, r, "", time.Time{}, file)
}
