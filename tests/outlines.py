"""Files of every language that outlines know, with the definitions that they are to find."""

from __future__ import annotations

import tomllib
from importlib.resources import files

TABLE = tomllib.loads(files("fim_lsp").joinpath("context", "outlines.toml").read_text("utf-8"))
LANGUAGES = [name for row in TABLE["language"] for name in row["ids"]]
# A file in each language, and all that is to be found in it: what stands in comments and strings, calls and
# control flow is in the file and not in the list.
SAMPLES = {
    "python": (
        r'''
"""A shop.

def not_this(): a function in prose
class NorThis:
"""

from __future__ import annotations

import json

LIMIT = 10  # of a basket
__all__ = ["Basket"]
T = TypeVar("T")
if TYPE_CHECKING:
    Price = int


@dataclass(frozen=True)
class Item:
    """What can be bought.

    name: not a field
    """

    name: str
    price: float = 0.0
    tags: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        return f"{self.name} def x():"


class Basket(
    Base[T],
    metaclass=Meta,
):
    kind = "basket"

    def __init__(self, owner: str, *, limit: int = LIMIT) -> None:
        self.owner = owner
        self._items: dict[str, Item] = {}
        self.owner.strip()
        if limit == 3: pass

    async def checkout(
        self,
        card: Card,  # never kept
        retries: int = 3,
    ) -> Receipt | None:
        total = sum(item.price for item in self._items)
        def twice(x): return 2 * x
        return await pay(card, twice(total))


type Pairs[K] = list[tuple[K, K]]


def main(argv: Sequence[str] | None = None) -> int:
    text = """
def in_a_string():
"""
    # def in_a_comment():
    print("class Other:")
    return 0
''',
        r"""
LIMIT | LIMIT
T | T
Price |     Price
Item | class Item
name |     name: str
price |     price: float
tags |     tags: list[str]
label |     def label(self) -> str
Basket | class Basket(Base[T], metaclass=Meta)
kind |     kind
__init__ |     def __init__(self, owner: str, *, limit: int = LIMIT) -> None
owner |         self.owner
_items |         self._items: dict[str, Item]
checkout |     async def checkout(self, card: Card, retries: int = 3) -> Receipt | None
twice |         def twice(x)
Pairs | type Pairs[K] = list[tuple[K, K]]
main | def main(argv: Sequence[str] | None = None) -> int
""",
    ),
    "typescript": (
        r"""
// function inAComment() {}
import { z } from "zod";
const fs = require("fs");

/**
 * class InProse {
 */
export const LIMIT = 10;
export const path = input.replace(/\/*$/, "");
export type Money = { amount: number; currency: string };
export type State =
  | "open"
  | "closed";

export interface Item<T = unknown> extends Base {
  readonly name: string;
  price?: number;
  tags: Array<Record<string, T>>;
  total(quantity: number, tax?: number): number;
}

export enum Color {
  Red = "red",
  Blue = 2,
}

export abstract class Basket<T extends Item> implements Iterable<T> {
  static readonly limit = LIMIT;
  #items: T[] = [];
  private owner?: string;

  constructor(private readonly store: Store, owner: string) {
    super();
    if (owner) {
      this.owner = owner;
    }
  }

  get size(): number {
    return this.#items.length;
  }

  async checkout(
    card: Card,
    options: { retries: number } = { retries: 3 },
  ): Promise<Receipt> {
    for (const item of this.#items) {
      charge(item, card);
    }
    return await pay(card);
  }

  onChange = (next: T): void => {
    render(next);
  };
}

export const useBasket = (id: string): Basket<Item> => {
  const local = 1;
  return make(id, local);
};

export async function load<T>(url: string, init?: RequestInit): Promise<T> {
  const text = `
function inATemplate() {
`;
  switch (text) {
    case "a":
      return other(text);
  }
}

export const api = {
  get(url: string) {
    return load(url);
  },
  remove: async (url: string) => load(url),
  limit: 3,
};

declare module "vue" {
  interface Options {
    basket?: Basket<Item>;
  }
}

describe("basket", () => {
  it("works", () => {});
});
""",
        r"""
LIMIT | export const LIMIT
path | export const path
Money | export type Money = { amount: number; currency: string }
State | export type State = | ...
Item | export interface Item<T = unknown> extends Base
name |   readonly name: string
price |   price?: number
tags |   tags: Array<Record<string, T>>
total |   total(quantity: number, tax?: number): number
Color | export enum Color
Red |   Red
Blue |   Blue
Basket | export abstract class Basket<T extends Item> implements Iterable<T>
limit |   static readonly limit
items |   #items: T[]
owner |   private owner?: string
constructor |   constructor(private readonly store: Store, owner: string)
size |   get size(): number
checkout |   async checkout(card: Card, options: { retries: number } = ...): Promise<Receipt>
onChange |   onChange = (next: T): void
useBasket | export const useBasket = (id: string): Basket<Item>
load | export async function load<T>(url: string, init?: RequestInit): Promise<T>
api | export const api
get |   get(url: string)
remove |   remove: async (url: string)
Options |   interface Options
basket |     basket?: Basket<Item>
""",
    ),
    "javascript": (
        r"""
'use strict';
const express = require('express');
const LIMIT = 10;

/* function hidden() {} */
function Basket(owner) {
  this.owner = owner;
  if (!(this instanceof Basket)) {
    return new Basket(owner);
  }
}

Basket.prototype.total = function total(tax) {
  return sum(this.items, tax);
};

exports.create = function (owner, options) {
  return new Basket(owner);
};

const double = x => x * 2;

class Item extends Base {
  static kind = 'item';
  constructor(name, price = 0) {
    super(name);
  }
  *tags() {
    yield 'function f() {}';
  }
}

module.exports = {
  find(id) {
    return load(id);
  },
};
""",
        r"""
LIMIT | const LIMIT
Basket | function Basket(owner)
total | Basket.prototype.total = function total(tax)
create | exports.create = function (owner, options)
double | const double = x
Item | class Item extends Base
kind |   static kind
constructor |   constructor(name, price = 0)
tags |   *tags()
find |   find(id)
""",
    ),
    "vue": (
        r"""
<template>
  <button @click="add">function inATemplate() {}</button>
</template>

<script setup lang="ts">
import { ref } from "vue";

const props = defineProps<{ owner: string }>();
const count = ref(0);

function add(item: Item): void {
  count.value++;
}
</script>

<style>
.function { color: red; }
</style>
""",
        r"""
props | const props
count | const count
add | function add(item: Item): void
""",
    ),
    "go": (
        r"""
// Package shop: func InProse() {}
package shop

import (
	"context"
	"fmt"
)

const Limit = 10

const (
	Open State = iota // of a basket
	Closed
	name, other = "a", "b"
)

var ErrEmpty = errors.New("empty: func x() {}")

type State int

type Item struct {
	Name  string `json:"name"`
	Price float64 // in dollars
	tags  map[string][]string
	sync.Mutex
	Next *Item
}

type (
	Store interface {
		Find(ctx context.Context, id string) (*Item, error)
		io.Closer
	}
	Handler func(*Item) error
)

func New(items ...*Item) *Basket {
	total := 0
	if len(items) > Limit {
		return nil
	}
	return build(items)
}

func (b *Basket[T]) Checkout(
	ctx context.Context,
	card Card,
) (*Receipt, error) {
	query := `
func InAString() {
`
	for _, item := range b.items {
		charge(item)
	}
	return pay(ctx, card, func(x int) int { return x })
}

func Map[T, U any](in []T, f func(T) U) []U { return nil }
""",
        r"""
Limit | const Limit
Open |     Open State
Closed |     Closed
name |     name, other
ErrEmpty | var ErrEmpty
State | type State int
Item | type Item struct
Name |     Name string
Price |     Price float64
tags |     tags map[string][]string
Next |     Next *Item
Store |     Store interface
Find |         Find(ctx context.Context, id string) (*Item, error)
Handler |     Handler func(*Item) error
New | func New(items ...*Item) *Basket
Checkout | func (b *Basket[T]) Checkout(ctx context.Context, card Card) (*Receipt, error)
Map | func Map[T, U any](in []T, f func(T) U) []U
""",
    ),
    "rust": (
        r"""
//! fn in_prose() {}
use std::collections::HashMap;

pub mod store;

pub const LIMIT: usize = 10;
static mut COUNT: u32 = 0;
type Prices = HashMap<String, f64>;

/// struct InProse;
#[derive(Debug, Clone)]
pub struct Item<'a> {
    pub name: &'a str,
    pub(crate) price: f64,
    tags: Vec<String>,
}

pub struct Id(pub u64);

#[derive(Debug)]
pub enum State {
    Open,
    Closed { at: u64, by: String },
    Failed(Error),
}

pub trait Store: Send + Sync {
    type Key;
    const NAME: &'static str;
    fn find(&self, key: Self::Key) -> Option<Item<'_>>;
}

impl<'a, S> Basket<'a, S>
where
    S: Store,
{
    pub fn new(store: S) -> Self {
        let items = vec![Item { name: "fn x() {}", price: 0.0, tags: vec![] }];
        Self { store, items }
    }

    pub async fn checkout<P>(
        &mut self,
        card: &Card,
        pay: P,
    ) -> Result<Receipt, Error>
    where
        P: Fn(&Card) -> bool,
    {
        if self.items.is_empty() {
            return Err(Error::Empty);
        }
        match pay(card) {
            true => done(card),
            false => fail(r#"
fn in_a_string() {
"#),
        }
    }
}

macro_rules! basket {
    ($($x:expr),*) => { make(vec![$($x),*]) };
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_empty() {}
}
""",
        r"""
store | pub mod store
LIMIT | pub const LIMIT: usize
COUNT | static mut COUNT: u32
Prices | type Prices = HashMap<String, f64>
Item | pub struct Item<'a>
name |     pub name: &'a str
price |     pub(crate) price: f64
tags |     tags: Vec<String>
Id | pub struct Id(pub u64)
State | pub enum State
Open |     Open
Closed |     Closed
Failed |     Failed(Error)
Store | pub trait Store: Send + Sync
Key |     type Key
NAME |     const NAME: &'static str
find |     fn find(&self, key: Self::Key) -> Option<Item<'_>>
new |     pub fn new(store: S) -> Self
checkout |     pub async fn checkout<P>(&mut self, card: &Card, pay: P) -> Result<Receipt, Error>
basket | macro_rules! basket
tests | mod tests
is_empty |     fn is_empty()
""",
    ),
    "java": (
        r"""
package shop;

import java.util.List;

/**
 * class InProse {
 */
@Entity(name = "basket")
public final class Basket<T extends Item> extends Base implements Iterable<T> {
    private static final int LIMIT = 10;
    private final Map<String, List<T>> items = new HashMap<>();
    protected String owner, street;

    public Basket(String owner) {
        super(owner);
        this.owner = owner;
    }

    @Override
    public String toString() {
        if (owner == null) {
            return format("void x() {", owner);
        }
        return super.toString();
    }

    @Deprecated public <R> R checkout(
            Card card, // never kept
            Function<Receipt, R> done)
            throws IOException {
        for (T item : items) {
            charge(item);
        }
        new Thread(() -> run()).start();
        return done.apply(pay(card));
    }

    abstract int size();

    public enum State {
        OPEN("o"),
        CLOSED("c") {
            int code() { return 1; }
        };

        private final String sign;

        State(String sign) {
            this.sign = sign;
        }
    }

    interface Store {
        Item find(String key);
    }

    record Point(int x, int y) {}
}
""",
        r"""
Basket | public final class Basket<T extends Item> extends Base implements Iterable<T>
LIMIT |     private static final int LIMIT
items |     private final Map<String, List<T>> items
owner |     protected String owner, street
Basket |     public Basket(String owner)
toString |     public String toString()
checkout |     @Deprecated public <R> R checkout(Card card, Function<Receipt, R> done) throws IOException
size |     abstract int size()
State |     public enum State
OPEN |         OPEN
CLOSED |         CLOSED
sign |         private final String sign
State |         State(String sign)
Store |     interface Store
find |         Item find(String key)
Point |     record Point(int x, int y)
""",
    ),
    "kotlin": (
        r"""
package shop

import kotlin.math.max

/* fun inProse() {} */
const val LIMIT = 10
typealias Prices = Map<String, Double>

data class Item(
    val name: String,
    var price: Double = 0.0,
    discount: Int,
) : Base(name) {
    val label get() = "fun x() {"
}

sealed interface State

enum class Color(val code: Int) {
    RED(1),
    BLUE(2);

    fun hex(): String = format(code)
}

class Basket<T : Item> @Inject constructor(private val store: Store) {
    private val items = mutableListOf<T>()
    lateinit var owner: String

    suspend fun checkout(
        card: Card,
        retries: Int = 3,
    ): Receipt {
        if (items.isEmpty()) {
            return fail("none")
        }
        val local = items.map { it.price }
        return pay(card)
    }

    override fun toString() = "Basket($owner)"

    companion object {
        const val MAX = 3
        fun empty(): Basket<Item> = Basket(Store())
    }
}

object Registry {
    fun find(key: String): Item? = null
}

fun <T> List<T>.second(): T = this[1]
val String.shout: String
    get() = uppercase()
""",
        r"""
LIMIT | const val LIMIT
Prices | typealias Prices = Map<String, Double>
Item | data class Item
name |     val name: String
price |     var price: Double
label |     val label get()
State | sealed interface State
Color | enum class Color(val code: Int)
RED |     RED
BLUE |     BLUE
hex |     fun hex(): String
Basket | class Basket<T : Item> @Inject constructor(private val store: Store)
items |     private val items
owner |     lateinit var owner: String
checkout |     suspend fun checkout(card: Card, retries: Int = 3): Receipt
toString |     override fun toString()
MAX |         const val MAX
empty |         fun empty(): Basket<Item>
Registry | object Registry
find |     fun find(key: String): Item?
second | fun <T> List<T>.second(): T
shout | val String.shout: String
""",
    ),
    "scala": (
        r"""
package shop

/** def inProse */
case class Item(name: String, price: Double = 0.0)

sealed trait State
object State {
  case object Open extends State
  val all: List[State] = List(Open)
}

abstract class Basket[T <: Item](owner: String)
    extends Base {
  type Key = String
  private val items = mutable.Buffer.empty[T]

  override def toString: String = "def x"

  def checkout(
      card: Card,
      retries: Int = 3
  )(implicit ec: ExecutionContext): Future[Receipt] = {
    val local = items.map(_.price)
    if (local.isEmpty) fail("none")
    pay(card)
  }
}
""",
        r"""
Item | case class Item(name: String, price: Double = 0.0)
State | sealed trait State
State | object State
Open |   case object Open extends State
all |   val all: List[State]
Basket | abstract class Basket[T <: Item](owner: String) extends Base
Key |   type Key = String
items |   private val items
toString |   override def toString: String
checkout |   def checkout(card: Card, retries: Int = 3)(implicit ec: ExecutionContext): Future[Receipt]
""",
    ),
    "c": (
        r"""
/* int in_prose(void) { */
#ifndef SHOP_H
#define SHOP_H

#include <stdio.h>

#define LIMIT 10
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define EACH(i, n) \
    for (int i = 0; i < (n); i++) \
        int hidden(i);

typedef unsigned long money_t;
typedef int (*compare_fn)(const void *a, const void *b);

struct basket;

enum state {
    OPEN,
    CLOSED = 2, // at night
};

typedef struct item {
    char *name;
    money_t price[2];
    struct item *next;
    unsigned flags : 3;
    int (*compare)(struct item *a, struct item *b);
    union {
        long number;
    } value;
} item_t;

static int count = 0;
const char *names[] = {
    "int x(void) {",
    call(1),
};

item_t *item_new(const char *name, money_t price);

static inline int
basket_add(struct basket *b,
           item_t *item)
{
    if (b == NULL) {
        goto error;
    }
    while (next(b)) {
        charge(item);
    }
#ifdef DEBUG
    print(b);
#endif
    return add(b, item);
error:
    return -1;
}

int main(int argc, char **argv) {
    struct basket b;
    switch (argc) {
    case 1:
        return run(&b);
    }
    else_call(argc);
    return 0;
}
#endif
""",
        r"""
LIMIT | #define LIMIT
MAX | #define MAX(a, b)
EACH | #define EACH(i, n)
money_t | typedef unsigned long money_t
compare_fn | typedef int (*compare_fn)(const void *a, const void *b)
state | enum state
OPEN |     OPEN
CLOSED |     CLOSED
item | typedef struct item
name |     char *name
price |     money_t price[2]
next |     struct item *next
flags |     unsigned flags : 3
compare |     int (*compare)(struct item *a, struct item *b)
number |         long number
value |     union value
item_t | typedef struct item item_t
count | static int count
names | const char *names[]
item_new | item_t *item_new(const char *name, money_t price)
basket_add | static inline int basket_add(struct basket *b, item_t *item)
main | int main(int argc, char **argv)
""",
    ),
    "cpp": (
        r"""
#pragma once
#include <string>

namespace shop {

using Price = double;
constexpr int kLimit = 10;

enum class State { Open, Closed };
enum class Color : int {
  Red,
  Blue = 3,
};

template <typename T>
class Basket : public Base<T> {
 public:
  explicit Basket(std::string owner) : owner_(std::move(owner)) {}
  virtual ~Basket() = default;
  Basket(const Basket&) = delete;

  int size() const { return items_.size(); }
  virtual std::vector<T> checkout(const Card& card,
                                  int retries = 3) = 0;
  bool operator==(const Basket& other) const;

 private:
  std::map<std::string, std::vector<T>> items_;
  std::string owner_{"void x() {"};
  static int count_;
};

template <typename T>
int Basket<T>::count_ = 0;

Basket<int>::Basket(std::string owner)
    : owner_(owner) {
  if (owner.empty()) {
    throw std::runtime_error("no owner");
  }
}

std::vector<int> Basket<int>::checkout(const Card& card, int retries) {
  for (auto& item : items_) {
    charge(item, card);
  }
  return pay(card);
}

}  // namespace shop
""",
        r"""
Price | using Price = double
kLimit | constexpr int kLimit
State | enum class State { Open, Closed }
Color | enum class Color : int
Red |   Red
Blue |   Blue
Basket | class Basket : public Base<T>
Basket |   explicit Basket(std::string owner) : owner_(std::move(owner))
~Basket |   virtual ~Basket() = default
Basket |   Basket(const Basket&) = delete
size |   int size() const
checkout |   virtual std::vector<T> checkout(const Card& card, int retries = 3) = 0
items_ |   std::map<std::string, std::vector<T>> items_
count_ |   static int count_
Basket | Basket<int>::Basket(std::string owner)
checkout | std::vector<int> Basket<int>::checkout(const Card& card, int retries)
""",
    ),
    "csharp": (
        r"""
using System;

namespace Shop.Models
{
    /// <summary>class InProse {</summary>
    [Serializable]
    public sealed class Basket<T> : Base, IEnumerable<T>
        where T : Item
    {
        private const int Limit = 10;
        private readonly Dictionary<string, List<T>> _items = new();

        public string Owner { get; set; } = "";
        public int Size => _items.Count;

        public event EventHandler? Changed;

        public Basket(string owner)
            : base(owner)
        {
            Owner = owner;
        }

        public async Task<Receipt> CheckoutAsync(
            Card card,
            CancellationToken stop = default)
        {
            if (card == null)
            {
                throw new ArgumentNullException(nameof(card));
            }
            foreach (var item in _items)
            {
                Charge(item);
            }
            var text = @"
public void InAString() {
";
            return await Pay(card);
        }

        protected override void Dispose(bool disposing) => base.Dispose(disposing);
    }

    public enum State
    {
        Open,
        Closed = 2,
    }

    public record Point(int X, int Y);

    public interface IStore
    {
        Item? Find(string key);
    }

    public delegate void Handler(object sender);
}
""",
        r"""
Basket |     public sealed class Basket<T> : Base, IEnumerable<T> where T : Item
Limit |         private const int Limit
_items |         private readonly Dictionary<string, List<T>> _items
Owner |         public string Owner
Size |         public int Size
Changed |         public event EventHandler? Changed
Basket |         public Basket(string owner)
CheckoutAsync |         public async Task<Receipt> CheckoutAsync(Card card, CancellationToken stop = default)
Dispose |         protected override void Dispose(bool disposing)
State |     public enum State
Open |         Open
Closed |         Closed
Point |     public record Point(int X, int Y)
IStore |     public interface IStore
Find |         Item? Find(string key)
Handler |     public delegate void Handler(object sender)
""",
    ),
    "swift": (
        r"""
import Foundation

// func inAComment() {}
let limit = 10
typealias Prices = [String: Double]

protocol Store: AnyObject {
    associatedtype Key
    var count: Int { get }
    func find(_ key: Key) async throws -> Item?
}

public struct Item: Codable, Hashable {
    public let name: String
    var price: Double = 0.0
    private(set) var tags: [String] = []

    init?(name: String, price: Double) {
        guard price > 0 else { return nil }
        self.name = name
    }
}

enum State: String {
    case open
    case closed(by: String)
    static let all = [State.open]
}

@MainActor
final class Basket<T: Item>: ObservableObject {
    @Published var items: [T] = []
    class func make() -> Basket { Basket() }

    override func checkout(
        with card: Card,
        retries: Int = 3
    ) throws -> Receipt {
        if items.isEmpty {
            return try fail("func x() {")
        }
        let local = items.count
        for item in items { charge(item) }
        return pay(card)
    }
}

extension Basket {
    var total: Double {
        items.reduce(0) { $0 + $1.price }
    }
    subscript(index: Int) -> T { items[index] }
}
""",
        r"""
limit | let limit
Prices | typealias Prices = [String: Double]
Store | protocol Store: AnyObject
Key |     associatedtype Key
count |     var count: Int
find |     func find(_ key: Key) async throws -> Item?
Item | public struct Item: Codable, Hashable
name |     public let name: String
price |     var price: Double
tags |     private(set) var tags: [String]
init |     init?(name: String, price: Double)
State | enum State: String
open |     case open
closed |     case closed(by: String)
all |     static let all
Basket | final class Basket<T: Item>: ObservableObject
items |     @Published var items: [T]
make |     class func make() -> Basket
checkout |     override func checkout(with card: Card, retries: Int = 3) throws -> Receipt
total |     var total: Double
subscript |     subscript(index: Int) -> T
""",
    ),
    "dart": (
        r"""
import 'dart:async';

// void inAComment() {}
const limit = 10;
typedef Handler = void Function(Item item);

enum State { open, closed }

abstract class Basket<T extends Item> extends Base with Countable {
  final String owner;
  late final Map<String, List<T>> items;
  static int count = 0;

  Basket(this.owner, {required this.items});
  Basket.empty() : this('nobody', items: {});

  int get size => items.length;

  Future<Receipt> checkout(
    Card card, {
    int retries = 3,
  }) async {
    if (items.isEmpty) {
      return fail('void x() {');
    }
    final local = items.length;
    return pay(card);
  }

  @override
  String toString() => 'Basket';
}

void main(List<String> args) {
  runApp(Basket.empty());
}
""",
        r"""
limit | const limit
Handler | typedef Handler = void Function(Item item)
State | enum State { open, closed }
Basket | abstract class Basket<T extends Item> extends Base with Countable
owner |   final String owner
items |   late final Map<String, List<T>> items
count |   static int count
Basket |   Basket(this.owner, {required this.items})
empty |   Basket.empty() : this(..., items: {})
size |   int get size
checkout |   Future<Receipt> checkout(Card card, { int retries = 3, }) async
toString |   String toString()
main | void main(List<String> args)
""",
    ),
    "ruby": (
        r"""
# def in_prose
require "json"

module Shop
  LIMIT = 10

  class Basket < Base
    attr_reader :owner, :items
    has_many :items

    def initialize(owner, items: [])
      @owner = owner
      @items = items
    end

    def self.load(path)
      new(JSON.parse(File.read(path)))
    end

    def empty?
      return true if items.none?

      puts "def x"
      sql = <<~SQL
        select 1
      def in_a_string
      SQL
      run(sql)
    end

    class << self
      def build(*args, &block)
        new(*args, &block)
      end
    end

    private def total(tax:,
                      discount: 0)
      items.sum { |item| item.price }
    end
  end
end
""",
        r"""
Shop | module Shop
LIMIT |   LIMIT
Basket |   class Basket < Base
owner |     attr_reader :owner, :items
items |     has_many :items
initialize |     def initialize(owner, items: [])
load |     def self.load(path)
empty? |     def empty?
build |       def build(*args, &block)
total |     private def total(tax:, discount: 0)
""",
    ),
    "php": (
        r"""
<?php
// function inAComment() {
declare(strict_types=1);

namespace Shop\Models;

use Shop\Base;

define('SHOP_OPEN', true);
const LIMIT = 10;

interface Store
{
    public function find(string $key): ?Item;
}

#[Entity]
final class Basket extends Base
    implements IteratorAggregate
{
    use Countable;

    public const KIND = 'basket';
    private array $items = [];
    protected static ?string $owner;

    public function __construct(
        private readonly Store $store,
        string $owner = 'nobody',
    ) {
        parent::__construct($owner);
    }

    public static function load(string $path): static
    {
        if (!is_file($path)) {
            throw new RuntimeException("function x() {");
        }
        $sql = <<<SQL
        function inAString() {
        SQL;
        $map = array_map(function ($item) {
            return $item->price;
        }, $items);
        return new static($path);
    }
}

enum State: string
{
    case Open = 'open';
    case Closed = 'closed';
}

function total(array $items, float $tax = 0.0): float
{
    return array_sum($items) * $tax;
}
""",
        r"""
SHOP_OPEN | SHOP_OPEN
LIMIT | const LIMIT
Store | interface Store
find |     public function find(string $key): ?Item
Basket | final class Basket extends Base implements IteratorAggregate
KIND |     public const KIND
items |     private array $items
owner |     protected static ?string $owner
__construct |     public function __construct(private readonly Store $store, string $owner = ...)
load |     public static function load(string $path): static
State | enum State: string
Open |     case Open
Closed |     case Closed
total | function total(array $items, float $tax = 0.0): float
""",
    ),
    "lua": (
        r"""
-- function in_prose()
local M = {}
local json = require("json")
LIMIT = 10
M.version = "1.0"

--[[
function hidden()
]]
local function sum(items, tax)
  local total = 0
  for _, item in ipairs(items) do
    total = total + item.price
  end
  return total
end

function M.new(owner)
  local self = setmetatable({}, M)
  if not owner then
    return nil, "function x()"
  end
  return self
end

function M:checkout(card,
                    retries)
  return pay(card, function(x) return x end)
end

M.double = function(x)
  return x * 2
end

local text = [[
function in_a_string()
]]

return M
""",
        r"""
M | local M
LIMIT | LIMIT
version | M.version
sum | local function sum(items, tax)
new | function M.new(owner)
checkout | function M:checkout(card, retries)
double | M.double = function(x)
text | local text
""",
    ),
    "elixir": (
        r'''
defmodule Shop.Basket do
  @moduledoc """
  def in_prose(x) do
  """
  @limit 10
  @type t :: %__MODULE__{owner: String.t()}

  defstruct [:owner, items: []]

  # def in_a_comment(x), do: x
  def new(owner, opts \\ []) do
    items = Keyword.get(opts, :items, [])
    if items == [], do: raise("def x")
    %__MODULE__{owner: owner, items: items}
  end

  def empty?(%{items: items}), do: items == []

  defp total(items, tax) when tax > 0 do
    Enum.sum(items)
  end

  defmacro debug(expr) do
    quote do: IO.inspect(unquote(expr))
  end
end
''',
        r"""
Basket | defmodule Shop.Basket
limit |   @limit
t |   @type t :: %__MODULE__{owner: String.t()}
new |   def new(owner, opts \\ [])
empty? |   def empty?(%{items: items})
total |   defp total(items, tax) when tax > 0
debug |   defmacro debug(expr)
""",
    ),
    "zig": (
        r"""
const std = @import("std");
// fn inAComment() void {}
pub const limit: usize = 10;

pub const Item = struct {
    name: []const u8,
    price: f64 = 0,

    pub fn init(name: []const u8) Item {
        const local = name;
        if (local.len == 0) {
            return fail("fn x() void {");
        }
        return .{ .name = local };
    }
};

const State = enum {
    open,
    closed,
};

pub fn checkout(
    card: *const Card,
    retries: u8,
) !Receipt {
    for (items) |item| {
        charge(item);
    }
    return pay(card);
}
""",
        r"""
limit | pub const limit: usize
Item | pub const Item = struct
name |     name: []const u8
price |     price: f64
init |     pub fn init(name: []const u8) Item
State | const State = enum
open |     open
closed |     closed
checkout | pub fn checkout(card: *const Card, retries: u8) !Receipt
""",
    ),
    "shellscript": (
        r"""
#!/bin/sh
# build() {
LIMIT=10
export PATH_TO="$HOME/shop"

checkout() {
  local card="$1"
  if test -z "$card"; then
    fail "pay() {"
  fi
  pay "$card"
}

function clean {
  rm -f "$1"
}
""",
        r"""
LIMIT | LIMIT
PATH_TO | export PATH_TO
checkout | checkout()
clean | function clean
""",
    ),
}
