from __future__ import annotations

from importlib.resources import files

import pytest
from graphql import (
    FragmentDefinitionNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    build_schema,
    parse,
    print_ast,
    validate,
)
from graphql.language import FieldNode
from hypothesis import given
from hypothesis import strategies as st

from seqdata.sources.webapp.documents import contains_mutation, document

SCHEMA = build_schema(files("seqdata.sandbox.webapp").joinpath("schema.graphql").read_text("utf-8"))
NAMES = sorted(
    path.name.removesuffix(".graphql")
    for path in files("seqdata.sources.webapp.documents").iterdir()
    if path.name.endswith(".graphql")
)


def without_typename(selections: SelectionSetNode, where: str) -> list[str]:
    """List the places below a selection set where ``__typename`` is not selected."""
    found = []
    fields = [one for one in selections.selections if isinstance(one, FieldNode)]
    if not any(field.name.value == "__typename" for field in fields):
        found.append(where)
    for one in selections.selections:
        if isinstance(one, InlineFragmentNode):
            # A type condition of a union shares the __typename beside it.
            inner = [
                field for field in one.selection_set.selections if isinstance(field, FieldNode)
            ]
        else:
            inner = [one] if isinstance(one, FieldNode) else []
        for field in inner:
            if field.selection_set is not None:
                found += without_typename(field.selection_set, f"{where}.{field.name.value}")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_document_is_valid(name: str) -> None:
    """Every document is one the observed schema answers, field by field and type by type."""
    assert validate(SCHEMA, parse(document(name))) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_object_below_the_root_says_its_type(name: str) -> None:
    """Every object below the root also selects __typename, as the web application's do."""
    for definition in parse(document(name)).definitions:
        assert isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
        title = definition.name.value if definition.name else ""
        if isinstance(definition, FragmentDefinitionNode):
            assert without_typename(definition.selection_set, title) == []
            continue
        for field in definition.selection_set.selections:
            assert isinstance(field, FieldNode)
            assert field.name.value != "__typename"
            if field.selection_set is not None:
                assert without_typename(field.selection_set, f"{title}.{field.name.value}") == []


@pytest.mark.parametrize("name", NAMES)
def test_only_the_payment_changes_something(name: str) -> None:
    """The documents that mutate are told from those that read exactly as a parser tells them."""
    operations = [
        one for one in parse(document(name)).definitions if isinstance(one, OperationDefinitionNode)
    ]
    mutates = any(one.operation is OperationType.MUTATION for one in operations)
    assert contains_mutation(document(name)) is mutates
    assert mutates is name.startswith("CreatePayment")


def test_many_transfers_are_asked_for_what_one_is() -> None:
    """The fragment of many transfers selects what the web application selects of one."""
    (one,) = parse(document("TransferReferenceDrawerContentV2")).definitions
    (many,) = parse(document("fragments/Drawer")).definitions
    organization = one.selection_set.selections[0]
    transfer = organization.selection_set.selections[1]
    assert transfer.name.value == "transferReference"
    assert print_ast(transfer.selection_set) == print_ast(many.selection_set)


def test_a_counted_page_is_the_page_and_its_count() -> None:
    """The document that counts differs from the web application's by the count alone."""
    plain = print_ast(parse(document("ActivityLogV2Transfers"))).splitlines()
    counted = print_ast(parse(document("ActivityLogV2TransfersCounted"))).splitlines()
    added = [line.strip() for line in counted if line not in plain]
    assert added[0].startswith("query ActivityLogV2Transfers(")
    assert added[1:] == ["numberOfTransfers(filter: $numberOfTransfersFilter) {", "count"]
    assert len([line for line in plain if line not in counted]) == 1


@pytest.mark.parametrize(
    ("text", "mutates"),
    [
        ("mutation { a }", True),
        ("mutation M($x: Int = 1) { a }", True),
        ("\ufeff# first\nmutation M { a }", True),
        ("query A { a }\nmutation B { b }", True),
        ("fragment F on Pod { id } mutation{ a }", True),
        ('{ a(text: "}") } mutation M { b }', True),
        ('{ a(text: """ \\""" } """) } mutation M { b }', True),
        ('{ a(text: "\\"{") } mutation M { b }', True),
        ("{ a } # {\n mutation M { b }", True),
        ("{ a } # {\r mutation M { b }", True),
        ("query Q(\n$a: [Int!] = [1, 2]) { a }\n,,mutation,M{ b }", True),
        ("{ mutation }", False),
        ("query mutations { a }", False),
        ("query Q($mutation: Int) { a(mutation: $mutation) }", False),
        ("# mutation M { a }\n{ a }", False),
        ('{ a(text: "mutation M { a }") }', False),
        ('"""mutation""" query Q { a }', False),
        ("", False),
    ],
)
def test_a_mutation_is_found_wherever_it_stands(text: str, mutates: bool) -> None:
    """Comments, strings, braces inside them and neighbours neither hide nor fake a mutation."""
    assert contains_mutation(text) is mutates


STRINGS = st.text(st.sampled_from('{}()[] mutation#\\"\n'), max_size=12).map(
    lambda text: '"""' + text.replace('"', "'").replace("\\", "/") + '"""'
)
COMMENTS = st.text(st.sampled_from('{}()" mutation'), max_size=12).map("#{}\n".format)
QUERIES = st.builds(
    "{} query {}{{ a(text: {}) {{ mutation }} }}".format,
    COMMENTS,
    st.sampled_from(["", "Q", "Q($mutation: Int)", "mutations"]),
    STRINGS,
)
MUTATIONS = st.builds("{}mutation {}{{ b(text: {}) }}".format, COMMENTS, COMMENTS, STRINGS)


@given(st.lists(QUERIES | MUTATIONS, min_size=1, max_size=4))
def test_a_document_mutates_where_a_parser_says_so(definitions: list[str]) -> None:
    """For every document that parses, the answer is the one of a real GraphQL parser."""
    text = "\n".join(definitions)
    mutates = any(
        isinstance(one, OperationDefinitionNode) and one.operation is OperationType.MUTATION
        for one in parse(text).definitions
    )
    assert contains_mutation(text) is mutates
