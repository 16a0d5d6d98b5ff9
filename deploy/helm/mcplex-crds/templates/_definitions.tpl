{{/*
What becomes of a definition, given as (list $ definition): "brought", "left out" by a value, or "foreign": installed, and not by this
release. Our own group is always brought.
*/}}
{{- define "mcplex-crds.fate" -}}
{{- $root := index . 0 -}}
{{- $crd := index . 1 -}}
{{- $value := get (dict "gateway.kgateway.dev" "kgateway" "agentgateway.dev" "agentgateway") $crd.spec.group -}}
{{- $installed := lookup $crd.apiVersion $crd.kind "" $crd.metadata.name | default dict -}}
{{- $owner := dig "metadata" "annotations" dict $installed -}}
{{- $name := get $owner "meta.helm.sh/release-name" -}}
{{- $namespace := get $owner "meta.helm.sh/release-namespace" -}}
{{- if eq $crd.spec.group "mcplex.dev" -}}brought
{{- else if not (index $root.Values $value) -}}left out
{{- else if not $installed -}}brought
{{- else if and (eq $name $root.Release.Name) (eq $namespace $root.Release.Namespace) -}}brought
{{- else -}}foreign
{{- end -}}
{{- end -}}
