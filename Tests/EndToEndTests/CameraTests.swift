import Foundation
import Posix
import Support
import Testing
import Units
import Wire

/// What is shown of a camera, and sent of it. In place of hardware there is a stand-in (`FakeCamera`): this machine's kernel has no V4L2.
@Suite(.serialized, .unlessStolen)
struct CameraTests {
    @Test(
        "a camera that is plugged in is offered with its sizes, seen, picked and sent; pulled out it is missed by name, and goes on by itself",
        .row("SND-04"))
    func journey() async throws {
        try await inStudio { studio in
            let camera = try CameraStandIn(on: studio.stage)
            try await studio.installation.program("sender").stop()
            try await studio.installation.startSender(inside: studio.field + camera.command)
            let sender = try await studio.sender().id
            let toml = "[video]\nwidth = 640\nheight = 360\nframe_rate = 25\nbitrate_kbit = 800\n"
            let saved: ConfigurationAnswer = try await studio.owner.call(
                .put, "/senders/\(sender)/configuration", ChangeConfigurationRequest(toml: toml))
            #expect(saved.result == .applied)
            _ = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let page = try await Dashboard.opened(on: studio.stage, at: studio.owner.server, studio.installation.ownerPassword)
            try await plugIn(camera, page, studio, sender)
            let id = try await pick(page, studio, sender)
            try await studio.record("show", seconds: 4)
            try await pullOut(camera, page, studio, sender, id)
            let began = Instant.now
            try await studio.owner.wait(id, for: ["live"], within: .seconds(10))
            measured("plugged in again: live after", Instant.now - began)
            let view: BroadcastView = try await studio.owner.call(.get, "/broadcasts/\(id)")
            #expect(view.input.video == CameraStandIn.id)
            try await Task.sleep(for: .seconds(4))
            try await studio.stop(id)
            try await judge(try #require(studio.nginx.recordings("show").last))
            try await leave(camera, page, studio, sender)
            #expect(page.browser.takeComplaints() == [])
        }
    }

    private func inputs(_ studio: Studio, _ sender: DeviceID) throws -> [Input] {
        try #require(try studio.owner.sender(sender)).inventory.inputs
    }

    private let row = "strata.rows('Inputs').find(one => one.startsWith('\(CameraStandIn.name)'))"

    /// The page that is open lists it within seconds, and shows what it sees.
    private func plugIn(_ camera: CameraStandIn, _ page: Dashboard, _ studio: Studio, _ sender: DeviceID) async throws {
        try await page.go("/senders/\(sender)")
        try await page.press("Inputs and encoders")
        try await page.see("Test picture and tone")
        #expect(try inputs(studio, sender).map(\.kind) == [.test])
        #expect(try await page.run("\(row) === undefined") as? Bool == true)
        let plugged = Instant.now
        try camera.plugIn()
        try await page.wait(
            "/Camera or capture card.*320×180@25, 640×360@25, 1280×720@10/.test(\(row))", "the page lists it", within: .seconds(5))
        measured("plugged in: on the page after", Instant.now - plugged)
        let input = try #require(try inputs(studio, sender).first { $0.kind == .v4l2 })
        #expect(input.id == CameraStandIn.id && input.name == CameraStandIn.name && input.media == .video)
        #expect(
            input.modes.map { "\($0.format) \($0.width)x\($0.height) \($0.frames)/\($0.frameSeconds)" } == [
                "YUYV 320x180 25/1", "YUYV 320x180 15/1", "YUYV 640x360 25/1", "YUYV 640x360 15/1", "YUYV 1280x720 10/1",
            ])
        try await page.press("See what the inputs show")
        let canvas = "[...document.querySelectorAll('canvas')].find(one => strata.name(one) === 'The picture of \(CameraStandIn.name)')"
        try await page.wait("\(canvas)?.width === 320 && \(canvas)?.height === 180", "what it sees is shown", within: .seconds(20))
        // Violet, but for the bar.
        let violet = """
            [...Array(320).keys()].filter(x => {
              const [r, g, b] = \(canvas).getContext('2d').getImageData(x, 90, 1, 1).data;
              return b > r && r > g + 20;
            }).length
            """
        try await page.wait("\(violet) > 240 && \(violet) < 300", "it is the camera's picture")
        #expect(try await page.faults() == [])
        try await page.browser.screenshot("camera-1-listed")
        try await page.press("Stop looking")
    }

    /// A broadcast of it goes live from the page alone.
    private func pick(_ page: Dashboard, _ studio: Studio, _ sender: DeviceID) async throws -> BroadcastID {
        try await page.press("Start a broadcast")
        try await page.fill("Input", CameraStandIn.id)
        try await page.browser.screenshot("camera-2-picked")
        try await page.press("Go live")
        try await page.wait("/LIVE/.test(document.querySelector('h1').innerText)", "it is live", within: .seconds(30))
        let list: ListView<BroadcastView> = try await studio.owner.call(.get, "/broadcasts")
        let view = try #require(list.items.first)
        #expect(view.input.video == CameraStandIn.id)
        return view.id
    }

    /// Whoever watches is told what is missing; it is in the inventory no more, until it is back, as another node of the same port.
    private func pullOut(
        _ camera: CameraStandIn, _ page: Dashboard, _ studio: Studio, _ sender: DeviceID, _ id: BroadcastID
    ) async throws {
        let pulled = Instant.now
        try camera.unplug()
        let shown = try await eventually(within: .seconds(5), "the broadcast misses its camera") { () -> BroadcastView? in
            guard let view = try studio.owner.broadcast(id), view.reason?.contains(CameraStandIn.name) == true else { return nil }
            return view
        }
        measured("pulled out: missed by its name after", Instant.now - pulled)
        measured("pulled out: shown as", "\(shown.state): \(shown.reason ?? "")")
        #expect(["degraded", "interrupted"].contains(shown.state))
        try await page.see("the input '\(CameraStandIn.name)'")
        try await eventually(within: .seconds(5), "it is in the inventory no more") {
            try !inputs(studio, sender).contains { $0.kind == .v4l2 }
        }
        // Past the budget of quick tries, so that the plugging in alone brings it back.
        try await eventually(within: .seconds(10), "it is waited for") {
            try studio.owner.broadcast(id)?.reason?.contains("it is tried again") == true
        }
        try await page.browser.screenshot("camera-3-missed")
        try camera.plugIn(as: 1)
    }

    private func judge(_ file: String) async throws {
        let stretches = try await CameraStretch.all(in: file).filter { $0.seconds > 1 }
        for stretch in stretches { measured("the recording shows the camera", "\(stretch)") }
        #expect(stretches.count == 2)
        for stretch in stretches {
            #expect(stretch.seconds > 3 && abs(stretch.speed - 0.5) < 0.02, "\(stretch)")
            // 25 pictures a second; a busy machine shows some twice.
            #expect(Double(stretch.still) < 0.2 * Double(stretch.pictures), "\(stretch)")
        }
        #expect(try await decodingErrors(file) == "")
    }

    private func leave(_ camera: CameraStandIn, _ page: Dashboard, _ studio: Studio, _ sender: DeviceID) async throws {
        try await page.go("/senders/\(sender)")
        try await page.press("Inputs and encoders")
        try await page.wait("\(row) !== undefined", "it is still listed")
        try camera.unplug(1)
        try await page.wait("\(row) === undefined", "the page lists it no more", within: .seconds(5))
        #expect(try inputs(studio, sender).map(\.kind) == [.test])
        let id = CameraStandIn.id.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        #expect(try await studio.owner.answer(.get, "/senders/\(sender)/picture?input=\(id)").status.code == 404)
    }
}
