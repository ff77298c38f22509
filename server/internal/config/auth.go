package config

// authRule holds the engine's options of htpasswd and the ones this server adds:
// cache and limit.
func authRule() *rule {
	const absent = "is not part of this server; allowed: htpasswd"
	return &rule{kind: section, keys: map[string]*rule{
		"htpasswd": {kind: section, keys: map[string]*rule{
			"realm": {kind: text, required: true},
			"path":  {kind: text, required: true},
			"cache": {kind: section, keys: map[string]*rule{
				"ttl":  {kind: duration},
				"size": {kind: integer},
			}},
			"limit": {kind: section, keys: map[string]*rule{
				"failures": {kind: integer},
				"window":   {kind: duration, valid: positiveDuration},
			}},
		}},
		"token": {refused: absent},
		"silly": {refused: absent},
	}}
}
