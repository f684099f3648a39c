import Foundation
import Support
import Testing
import Units
import Wire

/// What an input shows before a broadcast, from the board to the sender's page.
@Suite(.serialized, .unlessStolen)
struct InputPictureTests {
    @Test("the sender's page shows what each input shows, for a host and above; a broadcast's own input is left alone")
    func page() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let clip = try await studio.clip(of: sender.id)
            let page = Dashboard(browser: try await Chromium(on: studio.stage), server: studio.owner.server)
            try await page.browser.open(page.server + "/")
            try await page.see("Sign in")
            try await page.fill("Mail address", "owner@example.org")
            try await page.fill("Password", studio.installation.ownerPassword)
            try await page.press("Sign in")
            try await page.see("sender")
            _ = page.browser.takeComplaints()
            try await page.go("/senders/\(sender.id)")
            try await page.press("Inputs and encoders")
            try await page.press("See what the inputs show")
            for name in ["Test picture and tone", "bunny.mp4"] {
                let canvas = "[...document.querySelectorAll('canvas')].find(one => strata.name(one) === 'The picture of \(name)')"
                try await page.wait("\(canvas)?.width === 320 && \(canvas)?.height === 180", "\(name) is seen", within: .seconds(20))
                // Not of one colour.
                let colours = "new Set(\(canvas).getContext('2d').getImageData(0, 40, 320, 1).data.filter((_, at) => at % 4 === 0)).size"
                try await page.wait("\(colours) > 4", "\(name) has colours")
            }
            #expect(try await page.faults() == [])
            try await page.browser.screenshot("app-7-inputs")
            #expect(page.browser.takeComplaints() == [])

            let query = "/senders/\(sender.id)/picture?input="
            let encoded = clip.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            let answer = try await studio.owner.answer(.get, query + encoded)
            #expect(answer.status.code == 200 && answer.headers["content-type"] == "image/jpeg")
            #expect(answer.headers["x-content-type-options"] == "nosniff" && Thumbnail(answer.body) != nil)
            print("InputPictureTests: \(answer.body.count) bytes of the clip")
            #expect(try await studio.owner.answer(.get, query + "nothing").status.code == 404)
            // While it is sent it is seen otherwise; the other input is not.
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let id = try await studio.start(
                StartRequest(sender: sender.id, destinations: [platform], input: InputChoice(video: clip), encoder: Studio.small))
            try await studio.owner.wait(id, for: ["live"])
            try await eventually(within: .seconds(15), "it is refused") {
                try await studio.owner.answer(.get, query + encoded).status.code == 409
            }
            try await eventually(within: .seconds(15), "the test picture is seen beside it") {
                try await studio.owner.answer(.get, query + "test").status.code == 200
            }
            #expect(try studio.owner.broadcast(id)?.state == "live")
            try await studio.stop(id)
        }
    }
}
