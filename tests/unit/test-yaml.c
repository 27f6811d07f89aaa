// SPDX-License-Identifier: GPL-3.0-or-later
/* YAML (FAULTS 45): trees against what was written, every refusal with its text, both sides of
 * every limit. */
#include "base/alloc.h"
#include "base/buf.h"
#include "config/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Writes a tree as one line: key@line:column=value@line:column, {}, [], quoted texts in '. */
static void show(struct buf *out, const struct yaml_node *node)
{
	static const char *const open[] = {"", "[", "{"};
	static const char *const close[] = {"", "]", "}"};

	if (node->key != NULL)
		buf_printf(out, "%s@%u:%u=", node->key->text, node->key->line, node->key->column);
	if (node->kind == YAML_KIND_TEXT)
		buf_printf(out, node->quoted ? "'%s'" : "%s", node->text);
	buf_puts(out, open[node->kind]);
	for (const struct yaml_node *child = node->children; child != NULL; child = child->next) {
		show(out, child);
		if (child->next != NULL)
			buf_putc(out, ' ');
	}
	buf_puts(out, close[node->kind]);
	buf_printf(out, "@%u:%u", node->line, node->column);
}

/* Reads text and compares the tree, or the error behind "f:" where want begins with a digit. */
static void check(const char *text, size_t len, const char *want)
{
	struct arena arena = {0};
	struct error err = {0};
	struct yaml_node *root;
	struct buf out;

	buf_init(&out, 65536);
	if (yaml_read("f", text, len, &arena, &root, &err) < 0) {
		assert_int_equal(err.kind, ERROR_CONFIG);
		assert_int_equal(err.scope, SCOPE_FATAL);
		assert_memory_equal(err.text, "f:", 2);
		buf_puts(&out, err.text + 2);
	} else if (root != NULL) {
		show(&out, root);
	}
	assert_string_equal(out.data, want);
	yaml_wipe(root);
	arena_free(&arena);
	buf_free(&out);
}

static void test_trees(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
	    {"", ""},
	    {"# nothing\n\n", ""},
	    {"a", "a@1:1"},
	    {"a: b", "{a@1:1=b@1:4}@1:1"},
	    {"a: b\nc:\n  d: e\n", "{a@1:1=b@1:4 c@2:1={d@3:3=e@3:6}@3:3}@1:1"},
	    {"a:\nb: ''\n", "{a@1:1=@1:3 b@2:1=''@2:4}@1:1"},
	    {"a: [x, 'y', \"z\", []]", "{a@1:1=[x@1:5 'y'@1:8 'z'@1:13 []@1:18]@1:4}@1:1"},
	    {"- a\n- b: {}\n", "[a@1:3 {b@2:3={}@2:6}@2:3]@1:1"},
	    {"a: |\n  x\n  y\n", "{a@1:1='x\ny\n'@1:4}@1:1"},
	    {"a: >-\n  x\n  y\n", "{a@1:1='x y'@1:4}@1:1"},
	    {"a: yes\nb: 50%\nc: 0x10\nd: ~\n",
	     "{a@1:1=yes@1:4 b@2:1=50%@2:4 c@3:1=0x10@3:4 d@4:1=~@4:4}@1:1"},
	    {"\xc3\xa9: \xc3\xbc", "{\xc3\xa9@1:1=\xc3\xbc@1:4}@1:1"},
	    {"%YAML 1.1\n---\na: b\n...\n", "{a@3:1=b@3:4}@3:1"},
	    {"\xef\xbb\xbf"
	     "a: b",
	     "{a@1:1=b@1:4}@1:1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(rows[i].text, strlen(rows[i].text), rows[i].want);
}

#define NEEDS_QUOTES "; a value that begins with * or ! needs quotes"

static void test_refusals(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
	    {"a: &x b", "1:4: anchors (&name) are not allowed here"},
	    {"a: &x [b]", "1:4: anchors (&name) are not allowed here"},
	    {"a: &x {b: c}", "1:4: anchors (&name) are not allowed here"},
	    {"&x a: b", "1:1: anchors (&name) are not allowed here"},
	    {"a: *x", "1:4: aliases (*name) are not allowed here" NEEDS_QUOTES},
	    {"*x : a", "1:1: a key must be a word"},
	    {"a: !t b", "1:4: tags (!name) are not allowed here" NEEDS_QUOTES},
	    {"a: ! b", "1:4: tags (!name) are not allowed here" NEEDS_QUOTES},
	    {"a: !!str b", "1:4: tags (!name) are not allowed here" NEEDS_QUOTES},
	    {"a: !!seq [b]", "1:4: tags (!name) are not allowed here" NEEDS_QUOTES},
	    {"--- !!map\na: b", "1:5: tags (!name) are not allowed here" NEEDS_QUOTES},
	    {"!!str a: b", "1:1: tags (!name) are not allowed here" NEEDS_QUOTES},
	    {"a: b\na: c", "2:1: \"a\" stands here twice"},
	    {"a: {b: c, 'b': d}", "1:11: \"b\" stands here twice"},
	    {"? [a]\n: b", "1:3: a key must be a word"},
	    {"{a: b}: c", "1:1: a key must be a word"},
	    {"a: \"x\\0y\"", "1:4: a NUL byte is not allowed in a value"},
	    {"\"a\\0\": y", "1:1: a NUL byte is not allowed in a value"},
	    {"a: b\n---\nc: d\n", "2:1: a second document is not allowed here"},
	    {"a: b\n...\n---\n", "3:1: a second document is not allowed here"},
	    {"a: [b",
	     "2:1: not YAML: did not find expected ',' or ']' while parsing a flow sequence"},
	    {"a: b\n c: d", "2:3: not YAML: mapping values are not allowed in this context"},
	    {"a: 'b",
	     "1:6: not YAML: found unexpected end of stream while scanning a quoted scalar"},
	    {"\ta: b",
	     "1:1: not YAML: found character that cannot start any token while scanning for the "
	     "next token; a value that begins with % or @ needs quotes, and tabs are no "
	     "indentation"},
	    {"a: [*]",
	     "1:6: not YAML: did not find expected alphabetic or numeric character while scanning "
	     "an alias" NEEDS_QUOTES},
	    {"a: [b, !c]",
	     "1:10: not YAML: did not find expected whitespace or line break while scanning a "
	     "tag" NEEDS_QUOTES},
	    {"a: b\nc: \xff", "2:4: not YAML: invalid leading UTF-8 octet"},
	    {"a: \xed\xa0\x80", "1:4: not YAML: invalid Unicode character"},
	    {"a: b\x01", "1:5: not YAML: control characters are not allowed"},
	    {"\xff\xfe"
	     "a",
	     "1:1: not YAML: invalid leading UTF-8 octet"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(rows[i].text, strlen(rows[i].text), rows[i].want);
	check("a: \0", 4, "1:4: not YAML: control characters are not allowed");
}

/* A list within a list, depth times. */
static int read_nested(unsigned depth, const char *open, const char *close, struct error *err)
{
	struct arena arena = {0};
	struct yaml_node *root;
	struct buf text;
	int rc;

	buf_init(&text, 4096);
	for (unsigned i = 0; i < depth; i++)
		buf_puts(&text, open);
	for (unsigned i = 0; i < depth; i++)
		buf_puts(&text, close);
	rc = yaml_read("f", text.data, text.len, &arena, &root, err);
	arena_free(&arena);
	buf_free(&text);
	return rc;
}

static void test_depth(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(read_nested(YAML_DEPTH_MAX, "[", "]", &err), 0);
	assert_int_equal(read_nested(YAML_DEPTH_MAX + 1, "[", "]", &err), -1);
	assert_string_equal(err.text, "f:1:17: nested too deeply");
	assert_int_equal(read_nested(YAML_DEPTH_MAX - 1, "{a: ", "}", &err), 0);
	assert_int_equal(read_nested(YAML_DEPTH_MAX + 1, "{a: ", "}", &err), -1);
	assert_string_equal(err.text, "f:1:65: nested too deeply");
	assert_int_equal(read_nested(1000, "[", "]", &err), -1);
}

/* Every byte of every text is overwritten, also after a file that broke off. */
static void test_wipe(void **state)
{
	static const char *const texts[] = {
	    "a: secret\nb: [secret, {secret: secret}]\n",
	    "a: secret\nb: [secret, {secret: secret, secret: x}]\n",
	    "a: secret\nb: [secret, {secret: secret}, *x]\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct arena arena = {0};
		struct yaml_node *root;
		struct yaml_node *list;

		assert_int_equal(yaml_read("f", texts[i], strlen(texts[i]), &arena, &root, NULL),
				 i == 0 ? 0 : -1);
		list = root->children->next->children;
		assert_string_equal(root->children->text, "secret");
		assert_string_equal(list->next->children->key->text, "secret");
		yaml_wipe(root);
		for (size_t j = 0; j < strlen("secret"); j++) {
			assert_int_equal(root->children->text[j], 0);
			assert_int_equal(list->text[j], 0);
			assert_int_equal(list->next->children->key->text[j], 0);
			assert_int_equal(list->next->children->text[j], 0);
		}
		arena_free(&arena);
	}
	yaml_wipe(NULL);
}

/* Whatever a good file is cut down to or has a byte changed in, it is read or refused. */
static void test_damage(void **state)
{
	static const char good[] = "a: [b, 'c', \"d\\x41\"]\ne: {f: g}\nh: |\n  i\n";
	char text[sizeof(good)];

	(void)state;
	for (size_t at = 0; at < sizeof(good) - 1; at++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			struct arena arena = {0};
			struct error err = {0};
			struct yaml_node *root;
			int rc;

			memcpy(text, good, sizeof(good));
			text[at] = (char)byte;
			rc = yaml_read("f", text, byte == 0 ? at : sizeof(good) - 1, &arena, &root,
				       &err);
			assert_int_equal(rc, err.text[0] == '\0' ? 0 : -1);
			yaml_wipe(root);
			arena_free(&arena);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_trees),  cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_depth),  cmocka_unit_test(test_wipe),
	    cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
