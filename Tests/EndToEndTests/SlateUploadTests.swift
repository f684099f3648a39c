import Foundation
import Support
import Testing

/// The organisation's picture for a silent sender, as people and strangers send it.
@Suite(.serialized)
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
            _ = try await desk.board(of: try await desk.owner())
            let browser = try await Chromium(on: desk.stage)
            try await browser.open(desk.server + "/")
            try await browser.wait(for: "!document.querySelector('#login').hidden", "the form is shown")
            try await browser.signIn("owner@example.org", desk.installation.ownerPassword)
            try await browser.wait(for: "!document.querySelector('#slate').hidden", "it is offered")
            #expect(browser.takeComplaints().filter { !$0.contains("status of 401") } == [])
            func choose(_ source: String, _ type: String) async throws {
                _ = try await browser.value(
                    """
                    (() => {
                      const form = document.querySelector('#slate form'), list = new DataTransfer();
                      list.items.add(new File([\(source)], 'picture', { type: '\(type)' }));
                      form.picture.files = list.files;
                      form.requestSubmit();
                    })()
                    """)
            }
            try await choose("'no picture'", "image/png")
            try await browser.wait(
                for: "document.querySelector('#slate .error').textContent.includes('neither a whole PNG')",
                "what is none is refused by name")
            _ = browser.takeComplaints()
            try await choose("Uint8Array.from(atob('\(Data(Self.png).base64EncodedString())'), one => one.charCodeAt(0))", "image/png")
            try await browser.wait(for: "!document.querySelector('#slate canvas').hidden", "it is shown")
            #expect(try await browser.value("document.querySelector('#slate .error').textContent") as? String == "")
            try await browser.screenshot("slate")
            _ = try await browser.value("document.querySelector('#slate .remove').click()")
            try await browser.wait(
                for: "document.querySelector('#slate .which').textContent === 'a picture of ours'", "ours is shown again")
            #expect(browser.takeComplaints() == [])

            try await browser.resize(width: 360, height: 740)
            _ = try await browser.value("document.querySelector('.start select').append(new Option('USB Video '.repeat(18)))")
            #expect(try await browser.value("document.documentElement.scrollWidth") as? Int == 360)
            try await browser.screenshot("slate-telephone")
        }
    }
}
