/*
 * JSON into options and findings. What is missing or of another type than agreed is an error that says so: an old script beside a new
 * program shall not look like a project without settings.
 */
#include "conf/django.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "conf/builder.h"
#include "conf/mistake.h"

#define PLACE STR("Django settings")

static int set_text(struct conf_builder *b, const char *name, const json_t *value, char *error)
{
    struct str text;

    if (json_is_boolean(value))
        text = json_is_true(value) ? STR("yes") : STR("no");
    else if (json_is_string(value))
        text = str_make(json_string_value(value), json_string_length(value));
    else
        return mistake_say(error, "Django settings: %s: expected a text, a boolean or a list of texts", name);
    return conf_set(b, CONF_DJANGO, PLACE, str_of(name), text, error);
}

static int set_option(struct conf_builder *b, const char *name, const json_t *value, char *error)
{
    const struct option_row *row = option_find(str_of(name));
    int rc = 0;

    if (!json_is_array(value))
        return set_text(b, name, value, error);
    if (row && !option_is(row, OPTION_LIST))
        return mistake_say(error, "Django settings: %s: expected one value", name);
    for (size_t i = 0; i < json_array_size(value) && rc == 0; i++)
        rc = set_text(b, name, json_array_get(value, i), error);
    return rc;
}

static int read_options(struct conf_builder *b, json_t *options, char *error)
{
    const char *name;
    json_t *value;
    int rc = 0;

    if (!json_is_object(options))
        return mistake_say(error, "Django settings: the answer has no options");
    json_object_foreach(options, name, value) if (rc == 0) rc = set_option(b, name, value, error);
    return rc;
}

static char *copy_text(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_string(value) ? mem_strndup(json_string_value(value), json_string_length(value)) : NULL;
}

static int read_finding(const json_t *from, struct django_answer *out, char *error)
{
    struct django_finding *f = &out->findings[out->n_findings];
    char *level = copy_text(from, "level");

    *f = (struct django_finding){ copy_text(from, "id"), level && strcmp(level, "error") == 0, copy_text(from, "what"),
                                  copy_text(from, "mend") };
    out->n_findings++;
    mem_free(level);
    return f->id && f->what && f->mend && level ? 0 : mistake_say(error, "Django settings: a finding is incomplete");
}

static int read_findings(const json_t *list, struct django_answer *out, char *error)
{
    int rc = 0;

    if (!json_is_array(list) || json_array_size(list) > DJANGO_FINDINGS_MAX)
        return mistake_say(error, "Django settings: expected at most %d findings", DJANGO_FINDINGS_MAX);
    for (size_t i = 0; i < json_array_size(list) && rc == 0; i++)
        rc = read_finding(json_array_get(list, i), out, error);
    return rc;
}

static int read_answer(struct conf_builder *b, const json_t *root, struct django_answer *out, char *error)
{
    const json_t *found = json_object_get(root, "found");
    int rc;

    if (!json_is_boolean(found))
        return mistake_say(error, "Django settings: the answer does not say whether a project was found");
    out->found = json_is_true(found);
    if (!out->found) {
        out->why = copy_text(root, "why");
        return out->why ? 0 : mistake_say(error, "Django settings: the answer does not say why no project was found");
    }
    out->version = copy_text(json_object_get(root, "facts"), "django");
    rc = read_findings(json_object_get(root, "findings"), out, error);
    return rc ? rc : read_options(b, json_object_get(root, "options"), error);
}

int django_read(struct conf_builder *b, struct str json, struct django_answer *out, char error[CONF_ERROR_MAX])
{
    json_error_t problem;
    json_t *root = json_loadb(json.p ? json.p : "", json.n, 0, &problem);
    int rc;

    memset(out, 0, sizeof(*out));
    if (!root)
        return mistake_say(error, "Django settings: the answer is not JSON: %s", problem.text);
    rc = read_answer(b, root, out, error);
    json_decref(root);
    if (rc < 0)
        django_answer_fini(out);
    return rc;
}

void django_answer_fini(struct django_answer *answer)
{
    for (size_t i = 0; i < answer->n_findings; i++) {
        mem_free(answer->findings[i].id);
        mem_free(answer->findings[i].what);
        mem_free(answer->findings[i].mend);
    }
    mem_free(answer->why);
    mem_free(answer->version);
    memset(answer, 0, sizeof(*answer));
}
