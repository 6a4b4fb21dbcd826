package buildrunner

import (
	"os"
	"strconv"
	"strings"
)

// images lists the images that FROM and COPY --from name, each once, in order. Images of RUN --mount are not among them: the real
// builder does not look there either.
func (d *dockerfile) images(buildArgs map[string]string) []string {
	stages := map[string]bool{}
	args := map[string]string{}
	seen := map[string]bool{}
	var images []string
	add := func(image string) {
		if image == "" || image == "scratch" || stages[strings.ToLower(image)] || seen[image] {
			return
		}
		seen[image] = true
		images = append(images, image)
	}
	stageCount := 0
	for _, in := range d.instructions {
		words := strings.Fields(in.rest)
		switch in.name {
		case "ARG":
			// Only arguments before the first stage can be used in FROM.
			if stageCount == 0 {
				declareArgs(args, words, buildArgs)
			}
		case "FROM":
			for len(words) > 0 && strings.HasPrefix(words[0], "--") {
				words = words[1:]
			}
			if len(words) == 0 {
				continue
			}
			add(expandArgs(words[0], args))
			stages[strconv.Itoa(stageCount)] = true
			stageCount++
			if len(words) == 3 && strings.EqualFold(words[1], "AS") {
				stages[strings.ToLower(words[2])] = true
			}
		case "COPY":
			for _, word := range words {
				if from, found := strings.CutPrefix(word, "--from="); found {
					add(from)
				}
			}
		}
	}
	return images
}

func declareArgs(args map[string]string, words []string, buildArgs map[string]string) {
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		if given, found := buildArgs[name]; found {
			value = given
		}
		args[name] = strings.Trim(value, `"'`)
	}
}

// expandArgs replaces $NAME, ${NAME} and ${NAME:-default}.
func expandArgs(word string, args map[string]string) string {
	return os.Expand(strings.Trim(word, `"'`), func(expression string) string {
		name, fallback, _ := strings.Cut(expression, ":-")
		if value := args[name]; value != "" {
			return value
		}
		return fallback
	})
}
