import Foundation
import Support
import Testing

/// The organisation's picture for a silent sender, as people and strangers send it.
@Suite(.serialized)
struct SlateUploadTests {
    /// One grey point.
    static let png = [UInt8](
        Data(base64Encoded: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsQ2vngAAAABJRU5ErkJggg==") ?? Data())

    @Test("it is taken as a PNG or JPEG of 96 KiB and a 4K picture's size, refused with the reason, and nobody else's")
    func bounds() async throws {
        try await atFrontDesk { desk in
            let (owner, stranger) = (try await desk.owner(), try await desk.stranger())
            func send(_ bytes: [UInt8], _ type: String = "image/png") async throws -> Reply {
                try await owner.send("PUT", "/organization/slate", bytes, type: type)
            }
            #expect(try await owner.get("/organization/slate").status == 404)
            #expect(try await send(Self.png).status == 204)
            func refused(_ bytes: [UInt8], _ status: Int, _ reason: String, _ type: String = "image/png") async throws {
                let reply = try await send(bytes, type)
                #expect(reply.status == status, "\(reply)")
                #expect(reason.isEmpty || "\(reply)".contains(reason), "\(reply)")
            }
            var wide = Self.png
            wide[18] = 0xFF
            try await refused([], 422, "neither a PNG nor a JPEG")
            try await refused(Array("<svg/>".utf8), 422, "neither a PNG nor a JPEG")
            try await refused(wide, 422, "65281x1")
            try await refused(Self.png + [UInt8](repeating: 0, count: 96 << 10), 422, "at most 98304")
            try await refused([UInt8](repeating: 0, count: 129 << 10), 413, "")
            try await refused(Self.png, 415, "image/png or image/jpeg", "image/svg+xml")
            // What was refused left it as it was.
            let kept = try await owner.get("/organization/slate")
            #expect(kept.status == 200 && kept.body == Self.png)
            #expect(kept.headers["content-type"] == "image/png")
            #expect(try await stranger.get("/organization/slate").status == 404)
            #expect(try await stranger.send("DELETE", "/organization/slate").status == 404)
            #expect(try await owner.send("DELETE", "/organization/slate").status == 204)
            #expect(try await owner.get("/organization/slate").status == 404)
        }
    }
}
