import Foundation
import Support
import Testing

/// The organisation's picture for a silent sender, as people and strangers send it.
@Suite(.serialized, .unlessStolen)
struct SlateUploadTests {
    /// One grey point.
    static let png = [UInt8](
        Data(base64Encoded: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==") ?? Data())

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
            try await refused([], 422, "neither a whole PNG nor a whole JPEG")
            try await refused(Array("<svg/>".utf8), 422, "neither a whole PNG nor a whole JPEG")
            try await refused(wide, 422, "65281x1")
            try await refused(Self.png + [UInt8](repeating: 0, count: 96 << 10), 422, "at most 98304")
            try await refused([UInt8](repeating: 0, count: 129 << 10), 413, "")
            try await refused(Self.png, 415, "image/png or image/jpeg", "image/svg+xml")
            // What was refused left it as it was.
            let kept = try await owner.get("/organization/slate")
            #expect(kept.status == 200 && kept.body == Self.png)
            #expect(kept.headers["content-type"] == "image/png")
            let view = try await owner.get("/organization").object()["slate"] as? [String: Any]
            #expect(view?["kind"] as? String == "png" && view?["width"] as? Int == 1)
            #expect(try await stranger.get("/organization/slate").status == 404)
            #expect(try await stranger.send("DELETE", "/organization/slate").status == 404)
            #expect(try await owner.send("DELETE", "/organization/slate").status == 204)
            #expect(try await owner.get("/organization/slate").status == 404)
        }
    }

    @Test("an admin gives it on the page, sees it there and takes it away; the page fits a telephone with whatever an input is called")
    func page() async throws {
        try await atFrontDesk { desk in
            let board = try await desk.board(of: try await desk.owner())
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            try await page.manage("Organisation")
            try await page.press("While a sender is silent")
            try await page.see("A picture of ours is shown.")
            func choose(_ source: String, _ type: String) async throws {
                _ = try await page.run(
                    """
                    (() => {
                      const input = strata.named('input', 'PNG or JPEG, at most 96 KiB'), list = new DataTransfer();
                      list.items.add(new File([\(source)], 'picture', { type: '\(type)' }));
                      input.files = list.files;
                      input.dispatchEvent(new Event('change', { bubbles: true }));
                    })()
                    """)
                try await page.press("Show this one")
            }
            try await choose("'no picture'", "image/png")
            try await page.see("neither a whole PNG")
            _ = page.browser.takeComplaints()
            try await choose("Uint8Array.from(atob('\(Data(Self.png).base64EncodedString())'), one => one.charCodeAt(0))", "image/png")
            try await page.see("1×1, png")
            try await page.wait(
                "document.querySelector('canvas.slate')?.height === 480 && !document.querySelector('.fault')", "it is drawn")
            try await page.browser.screenshot("slate")
            try await page.press("Show yours again")
            try await page.see("A picture of ours is shown.")
            #expect(page.browser.takeComplaints() == [])

            try await page.browser.resize(width: 360, height: 740)
            #expect(try await page.faults() == [])
            #expect(try await desk.owner().post("/destinations", #"{"name":"d","url":"rtmp://127.0.0.1/d","secret":"k"}"#).status == 201)
            try await page.go("/senders/\(board.identity.device)/start")
            try await page.wait("document.querySelector('select[name=input]') !== null", "a broadcast can be asked for")
            _ = try await page.run("document.querySelector('select[name=input]').append(new Option('USB Video '.repeat(18)))")
            #expect(try await page.faults() == [])
            try await page.browser.screenshot("slate-telephone")
        }
    }
}
