import Foundation
import Store
import Testing
import Wire

@testable import API

@Suite("The shape of a body")
struct SchemaTests {
    private func faults(of body: String, as name: String) throws -> [String] {
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(body.utf8))
        return Schema.reference(name).faults(of: value).map { "\($0.field): expected \($0.expected)" }
    }

    @Test("a start names at least one destination, and a list says how many it takes and of what")
    func destinations() throws {
        let id = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
        func start(_ destinations: String) throws -> [String] {
            try faults(of: #"{"sender":"\#(id)"\#(destinations)}"#, as: "StartRequest")
        }
        let wanted = "destinations: expected a list of 1 to 64 entries, each an id of 26 characters"
        #expect(try start(#","destinations":["\#(id)"]"#) == [])
        #expect(try start(#","destinations":[]"#) == [wanted + ", not 0"])
        #expect(
            try start(#","destinations":[\#(Array(repeating: "\"\(id)\"", count: 65).joined(separator: ","))]"#) == [wanted + ", not 65"])
        for other in [#","destinations":"\#(id)""#, ""] { #expect(try start(other) == [wanted]) }
        #expect(try start(#","destinations":["\#(id)","x"]"#) == ["destinations[1]: expected an id of 26 characters"])
    }

    @Test("each event to a webhook has the shape that the document says of its kind", arguments: EventKind.allCases)
    func events(_ kind: EventKind) throws {
        let document = Schemas.named(Schemas.schema(of: kind)).document
        #expect(document.contains("\"\(kind.rawValue)\""), "\(document)")
    }

    @Test("the document says the same as what is checked")
    func document() {
        #expect(
            Schemas.named("StartRequest").document.contains(#""destinations":{"type":"array","minItems":1,"maxItems":64,"items":"#))
    }
}
