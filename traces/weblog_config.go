package traces

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cachesim/sim"
)

// configuredLayout returns the layout that the parameter log-format gives, or
// that the server's configuration which it names has: @nginx.conf:main. A
// directive of such a configuration counts, too, as it stands there.
func configuredLayout(value string) (configuredFormat, error) {
	var none configuredFormat
	file, isFile := strings.CutPrefix(value, "@")
	if !isFile {
		if value == "" {
			return none, errors.New("log-format is empty: it is the log_format of nginx, the LogFormat of Apache, the logformat of Squid, the log-format of HAProxy, or @FILE:NAME for the one of that name in the server's configuration")
		}
		if text, ok := asDirective(value); ok {
			formats, _, err := configuredFormats(text)
			if err != nil {
				return none, fmt.Errorf("log-format: %w", err)
			}
			if len(formats) > 0 {
				return formats[0], nil
			}
		}
		return configuredFormat{layout: value}, nil
	}
	name, found := "", false
	if i := strings.LastIndexByte(file, ':'); i >= 0 {
		file, name, found = file[:i], file[i+1:], true
	}
	text, err := readConfig(file)
	if err != nil {
		return none, err
	}
	formats, used, err := configuredFormats(text)
	if err != nil {
		return none, fmt.Errorf("log-format %s: %w", file, err)
	}
	var names []string
	for _, f := range formats {
		if found && f.name == name || !found && f.name == used {
			return f, nil
		}
		if !slices.Contains(names, f.name) {
			names = append(names, f.name)
		}
	}
	switch {
	case !found && len(names) > 0:
		return none, fmt.Errorf("log-format @%s: name one of its formats, as @%s:%s; it has %s", file, file, names[0], sentenceList(names))
	case !found:
		return none, fmt.Errorf("log-format @%s: the file, with those that it includes, defines no log format", file)
	}
	return none, fmt.Errorf("log-format @%s:%s: the file, with those that it includes, has no log format of that name%s", file, name, sim.DidYouMean(name, names))
}

// asDirective returns value as text of a configuration, if it is a whole
// directive or the strings of nginx's log_format.
func asDirective(value string) (string, bool) {
	value = strings.TrimSpace(value)
	word, _ := cutBlank(value)
	switch {
	case word == "log_format":
		return strings.TrimSuffix(value, ";") + ";", true
	case strings.EqualFold(word, "LogFormat"):
		return value, true
	case word == "log-format":
		return "frontend x\n" + value, true
	case strings.HasPrefix(value, "'") && strings.Contains(value, "$"):
		return "log_format x " + strings.TrimSuffix(value, ";") + ";", true
	}
	return "", false
}

// ResolveParams returns params with the content of what names a file in place of
// the name: log-format=@nginx.conf:main becomes log-format=$remote_addr ... . What
// identifies how a trace was decoded has to be taken from the result, as the file
// may change. It does not write to params.
func ResolveParams(params map[string]string) (map[string]string, error) {
	value, ok := params["log-format"]
	if !ok || !strings.HasPrefix(value, "@") {
		return params, nil
	}
	format, err := configuredLayout(value)
	if err != nil {
		return nil, err
	}
	resolved := maps.Clone(params)
	resolved["log-format"] = format.layout
	if _, given := params["captures"]; !given && len(format.captures) > 0 {
		resolved["captures"] = strings.Join(format.captures, ",")
	}
	return resolved, nil
}

// maxConfig bounds a configuration, in bytes.
const maxConfig = 4 << 20

// readConfig reads a configuration and those that it includes, each where it
// is included. It follows the directives of nginx, Apache and Squid; patterns
// are relative to the folder of the first file.
func readConfig(file string) (string, error) {
	var b strings.Builder
	left := maxConfig
	open := map[string]bool{} // files that include the one being read
	var read func(name string) error
	read = func(name string) error {
		if open[name] {
			return fmt.Errorf("log-format: %s includes itself", name)
		}
		open[name] = true
		defer delete(open, name)
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("log-format: %w", err)
		}
		defer f.Close()
		text, err := io.ReadAll(io.LimitReader(f, int64(left)+1))
		if err != nil {
			return fmt.Errorf("log-format: %w", err)
		}
		if left -= len(text); left < 0 {
			return fmt.Errorf("log-format: %s is larger than %d bytes: it is not a server's configuration", file, maxConfig)
		}
		for line := range strings.Lines(string(text)) {
			words := apacheWords(line)
			if len(words) < 2 || !slices.Contains([]string{"include", "includeoptional"}, strings.ToLower(words[0])) {
				b.WriteString(line)
				continue
			}
			pattern := strings.TrimSuffix(words[1], ";")
			if !filepath.IsAbs(pattern) {
				pattern = filepath.Join(filepath.Dir(file), pattern)
			}
			if info, err := os.Stat(pattern); err == nil && info.IsDir() { // Apache reads all of a folder
				pattern = filepath.Join(pattern, "*")
			}
			names, err := filepath.Glob(pattern)
			if err != nil {
				return fmt.Errorf("log-format: %s includes %s: %w", name, quote([]byte(words[1])), err)
			}
			for _, n := range names {
				if info, err := os.Stat(n); err != nil || !info.Mode().IsRegular() {
					continue
				}
				if err := read(n); err != nil {
					return err
				}
				b.WriteByte('\n')
			}
		}
		return nil
	}
	err := read(file)
	return b.String(), err
}

// A configuredFormat is a log format of a server's configuration.
type configuredFormat struct {
	name, layout string
	captures     []string // headers that HAProxy captures
}

// configuredFormats returns the log formats that a configuration defines, or
// that its server knows without being told, and the name of the one that counts
// where none is named; empty: there are several.
func configuredFormats(text string) (formats []configuredFormat, used string, err error) {
	if isSquidConfig(text) {
		formats, used = squidConfig(text)
		if own := len(formats) - len(squidFormats); used == "" && own == 1 {
			used = formats[0].name
		}
		return formats, used, nil
	}
	if isHAProxyConfig(text) {
		formats = haproxyConfig(text)
		if len(formats) == 1 {
			used = formats[0].name
		}
		return formats, used, nil
	}
	// Of two with one name the first counts for nginx, which refuses the
	// second, and for Apache the last.
	nginx, err := nginxFormats(text)
	if err != nil {
		return nil, "", err
	}
	apache := apacheFormats(text)
	slices.Reverse(apache)
	formats = append(nginx, apache...)
	if len(formats) == 1 {
		used = formats[0].name
	}
	// nginx has this one without being told; Apache's packages define both.
	return append(formats, configuredFormat{name: "combined", layout: layoutCombined}), used, nil
}

// nginxFormats finds the directives
//
//	log_format name [escape=default|json|none] 'string' ...;
//
// whose strings may be on several lines and are joined.
func nginxFormats(text string) (formats []configuredFormat, err error) {
	var words []string // of the directive so far
	for {
		word, end, rest, err := nginxWord(text)
		if err != nil {
			return nil, err
		}
		text = rest
		if word != nil {
			words = append(words, *word)
		}
		switch end {
		case 0:
			if len(words) > 0 && words[0] == "log_format" {
				return nil, errors.New("a log_format has no semicolon at its end")
			}
			return formats, nil
		case ';':
			if len(words) > 2 && words[0] == "log_format" {
				parts := words[2:]
				if strings.HasPrefix(parts[0], "escape=") {
					parts = parts[1:]
				}
				formats = append(formats, configuredFormat{name: words[1], layout: strings.Join(parts, "")})
			}
			words = nil
		case '{', '}':
			words = nil
		}
	}
}

// nginxWord returns the next word of a configuration, without its quotes, and
// the character that ends it: a blank, ; { or }, or 0 at the end.
func nginxWord(text string) (word *string, end byte, rest string, err error) {
	i := 0
	for i < len(text) {
		if blank(text[i]) {
			i++
		} else if text[i] == '#' {
			if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
				i += n
			} else {
				i = len(text)
			}
		} else {
			break
		}
	}
	if i == len(text) {
		return nil, 0, "", nil
	}
	var b strings.Builder
	if c := text[i]; c == '"' || c == '\'' {
		for i++; ; i++ {
			if i >= len(text) {
				return nil, 0, "", errors.New("a string has no closing quote")
			}
			if text[i] == c {
				break
			}
			if text[i] == '\\' && i+1 < len(text) {
				switch text[i+1] {
				case '"', '\'', '\\':
					i++
				case 't':
					b.WriteByte('\t')
					i++
					continue
				}
			}
			b.WriteByte(text[i])
		}
		i++
		s := b.String()
		return &s, ' ', text[i:], nil
	}
	for ; i < len(text); i++ {
		c := text[i]
		if blank(c) || c == ';' || c == '}' || c == '{' && !strings.HasSuffix(b.String(), "$") {
			if b.Len() == 0 {
				return nil, c, text[i+1:], nil
			}
			s := b.String()
			if blank(c) {
				c = ' '
			}
			return &s, c, text[i+1:], nil
		}
		if c == '\\' && i+1 < len(text) {
			i++
			c = text[i]
		}
		b.WriteByte(c)
	}
	s := b.String()
	return &s, 0, "", nil
}

// apacheFormats finds the directives
//
//	LogFormat "format" nickname
//
// whose lines may go on behind a backslash. One without a nickname is called
// "default"; a CustomLog with a format of its own has the name of its file.
func apacheFormats(text string) (formats []configuredFormat) {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\\\r\n", ""), "\\\n", "")
	for line := range strings.Lines(text) {
		words := apacheWords(line)
		if len(words) < 2 {
			continue
		}
		switch strings.ToLower(words[0]) {
		case "logformat":
			f := configuredFormat{name: "default", layout: words[1]}
			if len(words) > 2 {
				f.name = words[2]
			}
			formats = append(formats, f)
		case "customlog", "transferlog":
			if len(words) > 2 && strings.Contains(words[2], "%") {
				formats = append(formats, configuredFormat{name: words[1], layout: words[2]})
			}
		}
	}
	return formats
}

// apacheWords splits a line of a configuration of Apache. Within quotes a
// backslash escapes a quote or a backslash; what else it is before is left to
// the layout, which knows \t.
func apacheWords(line string) (words []string) {
	for {
		line = strings.TrimLeft(line, " \t\r\n")
		if line == "" || line[0] == '#' && len(words) == 0 {
			return words
		}
		var b strings.Builder
		i := 0
		if c := line[0]; c == '"' || c == '\'' {
			for i = 1; i < len(line) && line[i] != c; i++ {
				if line[i] == '\\' && i+1 < len(line) && (line[i+1] == c || line[i+1] == '\\') {
					i++
				}
				b.WriteByte(line[i])
			}
			i = min(i+1, len(line))
		} else {
			for i < len(line) && !blank(line[i]) {
				b.WriteByte(line[i])
				i++
			}
		}
		words = append(words, b.String())
		line = line[i:]
	}
}
