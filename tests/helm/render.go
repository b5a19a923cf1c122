// Renders a Helm chart as `helm template` does, with text/template and sprig, which Helm is made of: Debian has these, but
// no Helm. Functions, objects and the treatment of what is missing are those of Helm 3's documentation; lookup finds
// nothing, as without a cluster. Dependencies, hooks and values.schema.json are not known here.
//
//	render CHART [-f VALUES]... [--name RELEASE] [--namespace NAMESPACE] [--kube-version VERSION]
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/semver"
	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

type object = map[string]interface{}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "render:", err)
		os.Exit(1)
	}
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	fail(err)
	return data
}

// Strict: a key that is there twice is an error.
func readObject(path string) object {
	o := object{}
	if err := yaml.UnmarshalStrict(read(path), &o); err != nil {
		fail(fmt.Errorf("%s: %w", path, err))
	}
	return o
}

// What is said later wins; objects are merged; null takes a value away.
func overlay(base, over object) {
	for k, v := range over {
		into, isObject := base[k].(object)
		from, ok := v.(object)
		switch {
		case v == nil:
			delete(base, k)
		case isObject && ok:
			overlay(into, from)
		default:
			base[k] = v
		}
	}
}

func toYaml(v interface{}) string {
	data, err := yaml.Marshal(v)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(data), "\n")
}

func functions(t *template.Template) template.FuncMap {
	f := sprig.TxtFuncMap()
	delete(f, "env")
	delete(f, "expandenv")
	f["toYaml"] = toYaml
	f["fromYaml"] = func(text string) (object, error) {
		o := object{}
		return o, yaml.Unmarshal([]byte(text), &o)
	}
	f["fromYamlArray"] = func(text string) ([]interface{}, error) {
		a := []interface{}{}
		return a, yaml.Unmarshal([]byte(text), &a)
	}
	f["toJson"] = func(v interface{}) (string, error) {
		data, err := json.Marshal(v)
		return string(data), err
	}
	f["fromJson"] = func(text string) (object, error) {
		o := object{}
		return o, json.Unmarshal([]byte(text), &o)
	}
	f["include"] = func(name string, data interface{}) (string, error) {
		var b strings.Builder
		err := t.ExecuteTemplate(&b, name, data)
		return b.String(), err
	}
	f["tpl"] = func(text string, data interface{}) (string, error) {
		c, err := t.Clone()
		if err != nil {
			return "", err
		}
		if c, err = c.New("tpl").Parse(text); err != nil {
			return "", err
		}
		var b strings.Builder
		err = c.Execute(&b, data)
		return b.String(), err
	}
	f["required"] = func(what string, v interface{}) (interface{}, error) {
		if s, ok := v.(string); v == nil || ok && s == "" {
			return nil, errors.New(what)
		}
		return v, nil
	}
	f["lookup"] = func(version, kind, namespace, name string) object { return object{} }
	return f
}

type versions []string

func (v versions) Has(name string) bool {
	for _, one := range v {
		if one == name {
			return true
		}
	}
	return false
}

func main() {
	name, namespace, kube, values, chart := "countersign", "default", "v1.30.0", []string{}, ""
	for args := os.Args[1:]; len(args) > 0; args = args[1:] {
		option := map[string]*string{"--name": &name, "--namespace": &namespace, "--kube-version": &kube}[args[0]]
		switch {
		case args[0] != "-f" && option == nil:
			chart = args[0]
			continue
		case len(args) < 2:
			fail(fmt.Errorf("%s wants a value", args[0]))
		case option != nil:
			*option = args[1]
		default:
			values = append(values, args[1])
		}
		args = args[1:]
	}

	about := readObject(filepath.Join(chart, "Chart.yaml"))
	if about["apiVersion"] != "v2" || about["name"] == nil || about["version"] == nil {
		fail(errors.New("Chart.yaml wants apiVersion: v2, name and version"))
	}
	version, err := semver.NewVersion(kube)
	fail(err)
	if text, ok := about["kubeVersion"].(string); ok {
		wanted, err := semver.NewConstraint(text)
		fail(err)
		if !wanted.Check(version) {
			fail(fmt.Errorf("the chart wants Kubernetes %s, and this is %s", text, kube))
		}
	}
	all := readObject(filepath.Join(chart, "values.yaml"))
	for _, path := range values {
		overlay(all, readObject(path))
	}

	metadata := object{} // templates know its members by capital letters
	for k, v := range about {
		metadata[strings.ToUpper(k[:1])+k[1:]] = v
	}
	root := object{
		"Values":       all,
		"Chart":        metadata,
		"Release":      object{"Name": name, "Namespace": namespace, "Service": "Helm", "Revision": 1, "IsInstall": true, "IsUpgrade": false},
		"Capabilities": object{"KubeVersion": object{"Version": kube, "Major": fmt.Sprint(version.Major()), "Minor": fmt.Sprint(version.Minor())}, "APIVersions": versions{"v1", "apps/v1", "policy/v1", "networking.k8s.io/v1"}},
	}
	paths, err := filepath.Glob(filepath.Join(chart, "templates/*"))
	fail(err)
	sort.Strings(paths)
	base := about["name"].(string) + "/templates"
	t := template.New("chart").Option("missingkey=zero")
	t.Funcs(functions(t))
	for _, path := range paths {
		_, err := t.New(base + "/" + filepath.Base(path)).Parse(string(read(path)))
		fail(err)
	}
	for _, path := range paths {
		if strings.HasPrefix(filepath.Base(path), "_") {
			continue
		}
		root["Template"] = object{"Name": base + "/" + filepath.Base(path), "BasePath": base}
		var b strings.Builder
		fail(t.ExecuteTemplate(&b, base+"/"+filepath.Base(path), root))
		if text := strings.TrimSpace(strings.ReplaceAll(b.String(), "<no value>", "")); text != "" && filepath.Ext(path) == ".yaml" {
			fmt.Printf("---\n# Source: %s/%s\n%s\n", base, filepath.Base(path), text)
		}
	}
}
