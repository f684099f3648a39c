import Foundation
import Testing
import Units
import Wire

/// What a newer program reads of an older control.
@Suite struct OlderControlTests {
    @Test("an output that has no name yet is shown by its id")
    func outputs() throws {
        let id = "010VTPVT000000000000000000"
        func output(_ name: String) throws -> BroadcastView.Output {
            let text = #"{"id":"\#(id)","destination":"01DEST00000000000000000000"\#(name)}"#
            return try JSONDecoder().decode(BroadcastView.Output.self, from: Data(text.utf8))
        }
        let older = try output("")
        #expect(older.name == id && older.report == nil)
        let newer = try output(#","name":"platform""#)
        #expect(newer.name == "platform" && newer.id == older.id && newer.destination == older.destination)
        #expect(try JSONDecoder().decode(BroadcastView.Output.self, from: try JSONEncoder().encode(newer)) == newer)
    }
}
