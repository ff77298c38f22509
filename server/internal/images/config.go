package images

import (
	"encoding/json"
	"strings"
	"time"
)

// Config is what an image says of itself: how it was made, and how it is run.
type Config struct {
	Platform
	Created time.Time
	Author  Text
	History List[Step]
	Run     Run
	// Chart is set for a Helm chart.
	Chart ChartFacts
}

// ChartFacts are what a Helm chart says of itself.
type ChartFacts struct {
	Name, Version, AppVersion, Description Text
}

// Run is how a container of an image is started.
type Run struct {
	User         Text
	WorkingDir   Text
	Entrypoint   List[Text]
	Cmd          List[Text]
	Env          List[Text]
	Labels       Pairs
	ExposedPorts Pairs
	Volumes      Pairs
}

// Step is an instruction of a Dockerfile, or the like.
type Step struct {
	CreatedBy Text
	Comment   Text
	Empty     bool
}

func parseConfig(content []byte) *Config {
	var fields struct {
		Platform
		Author, Created Text
		Config          Run
		ChartFacts
		History List[struct {
			CreatedBy  Text `json:"created_by"`
			Comment    Text
			EmptyLayer bool `json:"empty_layer"`
		}]
	}
	// Whatever has another type than it should is left out.
	_ = json.Unmarshal(content, &fields)
	c := &Config{Platform: fields.Platform, Author: fields.Author, Run: fields.Config, Chart: fields.ChartFacts}
	c.Created, _ = time.Parse(time.RFC3339, string(fields.Created))
	for _, each := range fields.History.Items {
		c.History.Items = append(c.History.Items, Step{each.CreatedBy, each.Comment, each.EmptyLayer})
	}
	c.History.Count = fields.History.Count
	return c
}

// Instruction is what a step did, without what the shell and BuildKit add.
func (s Step) Instruction() string {
	text := string(s.CreatedBy)
	for _, prefix := range []string{"/bin/sh -c #(nop) ", "/bin/sh -c #(nop)"} {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			return strings.TrimSpace(rest)
		}
	}
	if rest, ok := strings.CutPrefix(text, "/bin/sh -c "); ok {
		text = "RUN " + rest
	}
	return strings.TrimSuffix(strings.TrimSpace(text), " # buildkit")
}
