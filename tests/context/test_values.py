"""What a file defines is shown without the values in it: no string, no constant's value, no telling default."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from outlines import LANGUAGES, SAMPLES

from fim_lsp.context.index import Budget, Index
from fim_lsp.context.outline import outline

# In each language: definitions that hold a planted value, which is `hunter2` in some way of writing, or the number 4711.
PLANTED = {
    "python": r'''
PASSWORD = "hunter2"
TOKEN: Final[str] = "hunter2"
PIN = 4711
KEYS = ["hunter2", b"hunter2"]
KEY = f"{hunter2}" if x else rb'hunter2'
X: Annotated[str, Field(default="hunter2")] = 4711
CONFIG = {
    "password": "hunter2",
}
def login(self, user="hunter2", password='hunter2', b=b"hunter2", f=f"{hunter2!r}", r=r"\hunter2"): ...
def lists(a=["hunter2"], b={"a": "hunter2"}, c=("hunter2",), d=get("x", "hunter2"), e={hunter2: 1}): ...
def triple(a="""
hunter2 = "x" # '
hunter2, b=1
""", b=1): ...
def joined(a="hunter2"
           "hunter2, b=1" 'hunter2'): ...
def escaped(a="\"hunter2", b='\'hunter2'): ...
def many(
    a: str = "hunter2",  # "hunter2"
    b: Literal["hunter2"] = None,
    c: str = os.environ.get("X", "hunter2"),
    d=[0x4711, 0x4711],
) -> "hunter2": ...
class Model(Base, table="hunter2", key=b"hunter2"):
    password = "hunter2"
    token: str = "hunter2"
    other: Literal["hunter2"]
    pin = 4711
    def __init__(self):
        self.password = "hunter2"
        self.token: str = 'hunter2'
        self.pin = 4711
type Mode = Literal["hunter2"]
''',
    "typescript": r"""
export const KEY = "hunter2";
const TOKEN: string = `hunter2
hunter2`;
let pin = 4711;
export const pattern = /hunter2/;
export function login(user = "hunter2", { a = 'hunter2', b = 4 } = {}, c = `hunter2 ${x}`, d = ["hunter2"]) {
export const call = async (user: string = "hunter2", d: { a: "hunter2" } = { a: "hunter2" }) => {
export const old = function (a = "hunter2") { return "hunter2"; };
type Mode = "hunter2" | 'hunter2';
type Shape = {
  kind: "hunter2";
  pin?: "hunter2";
};
export enum Color {
  Red = "hunter2",
  Blue = 4711,
}
enum Short { A = "hunter2" }
class A extends B("hunter2") {
  static key = "hunter2";
  #pin: number = 4711;
  handle = (a = "hunter2") => { this.x = "hunter2"; };
  @Input("hunter2") name: string = "hunter2";
  get it(): "hunter2" { return "hunter2"; }
  other = "hunter2"
}
exports.key = "hunter2";
module.exports.pin = 4711;
exports.made = function (a = "hunter2") {
""",
    "go": r"""
const Key = "hunter2"
var Pin int = 4711
var Keys = []string{"hunter2"}
var Raw = `hunter2
Line = "hunter2"
`
const (
	One = "hunter2"
	Two State = 4711
	three, four = "hunter2", 'h'
)
type Row struct {
	Name string `json:"hunter2"`
}
func Get(a string) string { return "hunter2" }
""",
    "rust": r"""
pub const KEY: &str = "hunter2";
static PIN: u32 = 4711;
const RAW: &'static str = r#"hunter2"#;
enum E {
    A = 4711,
}
impl A { const KEY: &'static str = "hunter2"; }
fn f<'a>(x: &'a str) -> &'a str { "hunter2" }
""",
    "java": r"""
class A {
    private static final String KEY = "hunter2";
    int pin = 4711, other = 4711;
    @Value("${x:hunter2}") private String b;
    @Column(name = "hunter2") String c = "hunter2";
    String text = \"\"\"
        hunter2\"\"\";
    @Get("hunter2") public String get(@Named("hunter2") String a) { return "hunter2"; }
    enum E {
        RED("hunter2", 4711),
        BLUE(4711);
    }
}
""".replace("\\", ""),
    "kotlin": r"""
const val KEY = "hunter2"
val pin: Int = 4711
val lazily by lazy("hunter2") { "hunter2" }
class A(val a: String = "hunter2", private val b: List<String> = listOf("hunter2")) : B("hunter2") {
    fun get(a: String = "hunter2", c: String = \"\"\"hunter2\"\"\") = "hunter2"
    val b get() = "hunter2"
}
enum class E(val x: String) {
    RED("hunter2"),
    BLUE(4711)
}
""".replace("\\", ""),
    "scala": r"""
object A {
  val key = "hunter2"
  val pin: Int = 4711
  def get(a: String = "hunter2", b: String = s"hunter2"): String = "hunter2"
  case class B(a: String = "hunter2", b: Seq[String] = Seq("hunter2"))
}
""",
    "c": r"""
#define KEY "hunter2"
#define PIN 4711
#define CALL(a) hunter2(a, "hunter2")
static const char *key = "hunter2";
const char keys[] = { 'h', "hunter2" };
int pin = 4711;
enum e {
    A = 4711,
};
char *get(char *a) { return "hunter2"; }
""",
    "cpp": r"""
std::string key{"hunter2"};
std::string other("hunter2");
constexpr auto raw = R"(hunter2)";
class A {
  std::string b = "hunter2";
  void get(std::string a = "hunter2", std::string b = R"(x")hunter2)", int c = 4'711, std::string d = u8"hunter2");
  [[deprecated("hunter2")]] void old();
};
extern "C" void call(const char *a = "hunter2");
""",
    "csharp": r"""
class A {
    public const string Key = "hunter2";
    public string B { get; set; } = "hunter2";
    public string C => "hunter2";
    private int pin = 4711;
    [Route("hunter2")] public void Get(string a = "hunter2", string b = @"hunter2""x", string c = $"hunter2") { }
    enum E {
        X = 4711,
    }
}
""",
    "ruby": r"""
KEY = "hunter2"
PIN = 4711
LIST = %w[hunter2 b]
TEXT = <<~X
  hunter2
X
def get(a = "hunter2", b = %q(hunter2), c: 'hunter2', d: %w[hunter2], e: 5, f: /hunter2/) = "hunter2"
def bare a, b = "hunter2"
class A
  attribute :role, default: "hunter2"
  field :other, default: %q(hunter2)
  scope :a, -> { where(b: "hunter2") }
  has_many :things, class_name: 'hunter2'
end
""",
    "php": r"""
<?php
define('KEY', 'hunter2');
const PIN = 4711;
class A {
    public const KEY = 'hunter2';
    private string $b = "hunter2";
    #[Route('hunter2')] public function get(string $a = 'hunter2', array $b = ['hunter2'], $c = "hunter2 $x") { return 'hunter2'; }
}
enum E: string {
    case A = 'hunter2';
}
""",
    "swift": r"""
let key = "hunter2"
class A {
    var pin: Int = 4711
    static let list = ["hunter2"]
    func get(_ a: String = "hunter2", b: String = #"hunter2"#, c: [String] = ["hunter2"]) -> String { "hunter2" }
    var x: String { "hunter2" }
}
enum E: String {
    case a = "hunter2"
    case b(c: String = "hunter2")
}
""",
    "lua": r"""
local KEY = "hunter2"
M.pin = 4711
PASSWORD = [[hunter2]]
function M.get(a) return "hunter2" end
""",
    "dart": r"""
const key = 'hunter2';
class A {
  static final String b = 'hunter2';
  int pin = 4711;
  A(this.x, {this.a = 'hunter2', String b: 'hunter2'});
  A.empty() : this('hunter2');
  String get(String a, [String b = "hunter2", List<String> c = const ['hunter2']]) => 'hunter2';
  String get c => 'hunter2';
}
""",
    "elixir": r"""
defmodule A do
  @key "hunter2"
  @pin 4711
  def get(a \\ "hunter2", b \\ ~s(hunter2), c \\ 'hunter2', d \\ [a: "hunter2"]), do: "hunter2"
  def other(a, b \\ %{x: "hunter2"}) when a == "hunter2" do
    "hunter2"
  end
end
""",
    "zig": r"""
pub const key = "hunter2";
const pin: u32 = 4711;
const S = struct {
    a: u32 = 4711,
    b: []const u8 = "hunter2",
};
""",
    "shellscript": r"""
export PASSWORD="hunter2"
TOKEN=hunter2
PIN=4711
get() { echo "hunter2"; }
cat <<X
KEY=hunter2
X
""",
}  # fmt: skip


def signatures(text, language):
    """The signatures of a file."""
    return [found.signature for found in outline(text.splitlines(keepends=True), language)]


@pytest.mark.parametrize("language", PLANTED)
def test_no_value_is_in_a_signature(language):
    """Of constants, attributes, members, defaults, annotations, and what types say in strings."""
    found = signatures(PLANTED[language], language)
    assert len(found) > 3
    assert not [line for line in found if re.search("hunter2|4711|4'711", line.replace("hunter2(", ""))]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", 'def f(a, b=None, c: int = -3, d=True, e=LIMIT, g=m.LIMIT, h=[], i={}, j=A(), k="x"): ...',
         "def f(a, b=None, c: int = -3, d=True, e=LIMIT, g=m.LIMIT, h=[], i={}, j=A(), k=...)"),
        ("python", "def f(a: Callable[..., int] = lambda x: 5, *, b=2 * 3) -> None: ...",
         "def f(a: Callable[..., int] = ..., *, b=...) -> None"),
        ("python", "def f(a=0x" + "f" * 64 + "): ...", "def f(a=...)"),
        ("python", 'def f(a: Literal["r", "w"], b: "Basket"): ...', "def f(a: Literal[...], b: ...)"),
        ("typescript", "function f(a = 1, b: A<B> = new C(), c = 'x') {", "function f(a = 1, b: A<B> = new C(), c = ...)"),
        ("typescript", "export type A = 'a' | 'b'", "export type A = ..."),
        ("rust", 'pub extern "C" fn f<\'a>(x: &\'a str) {', 'pub extern "C" fn f<\'a>(x: &\'a str)'),
        ("ruby", "def f(a = nil, b: :fast, c: 5, d: 'x')", "def f(a = nil, b: :fast, c: 5, d: ...)"),
        ("elixir", 'def f(a \\\\ nil, b \\\\ :x, c \\\\ "y") do', "def f(a \\\\ nil, b \\\\ :x, c \\\\ ...)"),
        ("php", "function f($a = null, $b = self::X, $c = 'x') {", "function f($a = null, $b = self::X, $c = ...)"),
        ("java", 'class A {\n  @A("x") int f(@B("y") int b) {', "  @A(...) int f(@B(...) int b)"),
    ],
)  # fmt: skip
def test_what_tells_nothing_stays(language, text, expected):
    """Numbers, names, nothing and empty brackets are shown as defaults; what is left out is shown to be left out."""
    assert signatures(text, language)[-1] == expected


VALUE = st.sampled_from(
    ['"SECRET"', "'SECRET'", '"a\\"SECRET"', '["SECRET"]', '{"a": "SECRET"}', 'f("SECRET")', '"""SECRET"""',
     "1", "None", "[]", 'b"SECRET"', '("SECRET", 1)', "'\"SECRET'", '"#SECRET"', '"SECRET, b=1"', '"SECRET)"']
)  # fmt: skip


@given(
    st.lists(VALUE, min_size=1, max_size=6), st.booleans(), st.sampled_from(["", "\n    ", " # it's\n    "])
)
def test_no_default_is_shown_however_it_is_written(values, annotated, between):
    """In any order, on one line or several."""
    kind = ": str" if annotated else ""
    text = f"def f({between}{f',{between}'.join(f'a{n}{kind} = {value}' for n, value in enumerate(values))}): ..."
    (found,) = signatures(text, "python")
    assert "SECRET" not in found
    assert found.count(" = ") == len(values) or len(values) > 4


@given(st.sampled_from(LANGUAGES), st.data())
def test_no_quote_is_left_open(language, data):
    """Whatever a line is cut from, what stands behind a string's mark that is not closed is not shown."""
    row = next((text for name, (text, _) in SAMPLES.items() if name == language), "x = 1\n")
    lines = row.splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines) - 1))
    cut = data.draw(st.integers(0, len(lines[at])))
    assume(lines[at].count('"', 0, cut) % 2 == 0)  # a mark that closes a string leaves none open
    lines[at] = lines[at][:cut] + '"SECRET\n'
    for found in outline(lines, language):
        assert "SECRET" not in found.signature


def test_the_map_holds_no_value():
    """Nor does what is shown of the files that a file imports."""
    index = Index()
    for language, text in PLANTED.items():
        ending = {
            "python": "py",
            "typescript": "ts",
            "rust": "rs",
            "ruby": "rb",
            "kotlin": "kt",
            "csharp": "cs",
        }
        path = f"lib.{ending.get(language, language)}"
        index.put(path, text)
        index.put(f"use_{path}", text)
    index.put("names.py", "\n".join(sorted(set(re.findall(r"\w+", "".join(PLANTED.values()))))))
    shown = index.map(Budget(100_000, 10_000)).text
    near = index.near(index.paths, 100_000, "").text
    assert "password" in shown
    assert "password" in near
    assert not re.search("hunter2|4711", (shown + near).replace("hunter2(", ""))
