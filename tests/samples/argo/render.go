// Prints what Argo CD's languages for notifications make of printed_by_go.json's texts, by the libraries that its
// notifications engine is built on. Run by hand when a template or trigger of deploy/argocd changes:
//
//	go run render.go <printed_by_go.json >new.json
//
// with github.com/Masterminds/sprig and github.com/antonmedv/expr at hand (later versions: sprig/v3, expr-lang/expr).
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"text/template"

	"github.com/Masterminds/sprig"
	"github.com/antonmedv/expr"
)

type Case struct {
	Language string             `json:"language"`
	Text     string             `json:"text"`
	Printed  map[string]*string `json:"printed"`
}

type Document struct {
	About        string                            `json:"about"`
	Applications map[string]map[string]interface{} `json:"applications"`
	Cases        []Case                            `json:"cases"`
}

func rendered(text string, vars map[string]interface{}) (string, error) {
	functions := sprig.GenericFuncMap()
	delete(functions, "env")
	delete(functions, "expandenv")
	parsed, err := template.New("").Funcs(functions).Parse(text)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, vars)
	return out.String(), err
}

func evaluated(text string, vars map[string]interface{}) (string, error) {
	program, err := expr.Compile(text)
	if err != nil {
		return "", err
	}
	value, err := expr.Run(program, vars)
	return fmt.Sprintf("%v", value), err
}

func main() {
	var document Document
	if err := json.NewDecoder(os.Stdin).Decode(&document); err != nil {
		panic(err)
	}
	for _, one := range document.Cases {
		for name := range one.Printed {
			vars := map[string]interface{}{"app": document.Applications[name]}
			read := rendered
			if one.Language == "expression" {
				read = evaluated
			}
			one.Printed[name] = nil
			if text, err := read(one.Text, vars); err == nil {
				one.Printed[name] = &text
			}
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(document); err != nil {
		panic(err)
	}
}
