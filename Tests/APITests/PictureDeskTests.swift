import Foundation
import Posix
import Testing
import Units
import Wire

@testable import API
@testable import Fleet

@Suite("Pictures of idle inputs", .timeLimit(.minutes(1))) struct PictureDeskTests {
    private let sender = DeviceID("01ARZ3NDEKTSV4RRFFQ69G5001")!, other = DeviceID("01ARZ3NDEKTSV4RRFFQ69G5002")!
    /// A JPEG file of 8x8, grey: markers, tables and one scan, as small as they can be.
    private static let jpeg =
        "/9j/4AAQSkZJRgABAgAAAQABAAD/2wBDAAgoKC8oLzc3Nzc3N0E8QUNDQ0FBQUFDQ0NISEhVVVVISEhDQ0hIUFBVVVxfXFdXVVdfX2RkZHh4c3OMjJGsrM//xABNAAEB"
        + "AAAAAAAAAAAAAAAAAAAABgEBAQEAAAAAAAAAAAAAAAAAAAYHEAEAAAAAAAAAAAAAAAAAAAAAEQEAAAAAAAAAAAAAAAAAAAAA/8AAEQgAEgAgAwEiAAIRAAMRAP/aAAwD"
        + "AQACEQMRAD8AiwEo38AAAAAB/9k="

    @Test("a board is asked once for all who look, and again only once what it sent is old")
    func asking() async throws {
        let desk = PictureDesk(), asked = Guarded(0)
        let ask: @Sendable () async -> String? = { [sender] in
            asked.withLock { $0 += 1 }
            await desk.arrived(InputPicture(input: "camera", base64: Self.jpeg), from: sender)
            return nil
        }
        async let first = desk.picture(of: "camera", on: sender, ask: ask)
        async let second = desk.picture(of: "camera", on: sender, ask: ask)
        let (one, two) = (try await first, try await second)
        #expect(one == two && one.picture.width == 32)
        #expect(try await desk.picture(of: "camera", on: sender, ask: ask) == one)
        #expect(asked.withLock { $0 } == 1)
        await desk.forget(sender)
        _ = try await desk.picture(of: "camera", on: sender, ask: ask)
        #expect(asked.withLock { $0 } == 2)
    }

    @Test("what was not asked for, of another input or board, or is no small JPEG is not shown; what the board says is kept for a while")
    func refused() async throws {
        let desk = PictureDesk(), asked = Guarded(0)
        func look(_ sent: [(String, String, DeviceID)], _ fault: String? = nil, input: String) async throws -> PictureDesk.Shown {
            try await desk.picture(of: input, on: sender) {
                asked.withLock { $0 += 1 }
                for (input, bytes, device) in sent { await desk.arrived(InputPicture(input: input, base64: bytes), from: device) }
                return fault
            }
        }
        await desk.arrived(InputPicture(input: "a", base64: Self.jpeg), from: sender)
        let svg = Data("<svg/>".utf8).base64EncodedString()
        let wrong = [("b", Self.jpeg, sender), ("a", Self.jpeg, other), ("a", svg, sender), ("a", "!", sender), ("a", "", sender)]
        await #expect(throws: PictureDesk.Refusal.fault("the sender has sent no picture")) { try await look(wrong, input: "a") }
        await #expect(throws: PictureDesk.Refusal.fault("no link")) { try await look([], "no link", input: "c") }
        // Not asked again at once.
        await #expect(throws: PictureDesk.Refusal.fault("no link")) { try await look([("c", Self.jpeg, sender)], input: "c") }
        #expect(asked.withLock { $0 } == 2)
    }

    @Test("one input of a sender at a time")
    func oneAtATime() async throws {
        let desk = PictureDesk()
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        let first = Task { [sender] in
            try await desk.picture(of: "a", on: sender) {
                begin.yield()
                for await _ in ended { break }
                return "none"
            }
        }
        for await _ in begun { break }
        await #expect(throws: PictureDesk.Refusal.busy) { try await desk.picture(of: "b", on: sender) { nil } }
        await #expect(throws: PictureDesk.Refusal.fault("other")) { try await desk.picture(of: "b", on: other) { "other" } }
        end.yield()
        await #expect(throws: PictureDesk.Refusal.fault("none")) { try await first.value }
        await #expect(throws: PictureDesk.Refusal.fault("b")) { try await desk.picture(of: "b", on: sender) { "b" } }
    }
}
