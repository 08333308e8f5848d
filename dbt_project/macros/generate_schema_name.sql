{# Models land in the schema that dbt_project.yml names, without the profile's own as a prefix. Marts are made beside
   the published ones and published by `kyalo run` or `kyalo build`; the target `published` names those. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set schema = (custom_schema_name or target.schema) | trim -%}
    {{ 'marts_next' if schema == 'marts' and target.name != 'published' else schema }}
{%- endmacro %}
