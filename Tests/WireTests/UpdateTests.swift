import Foundation
import Testing
import Units
import Wire

@Suite("What boards and control say of releases") struct UpdateTests {
    @Test("a wish that this updater does not know is nothing to it")
    func unknownWish() throws {
        let text = #"{"wish":"reflash","version":"1.4.0","release":"ab","isForced":false,"channel":"stable","more":1}"#
        let order = try JSONDecoder().decode(UpdateOrder.self, from: Data(text.utf8))
        #expect(order == UpdateOrder(wish: .nothing, version: "1.4.0", release: "ab", channel: "stable"))
        let again = try JSONDecoder().decode(UpdateOrder.self, from: JSONEncoder().encode(UpdateOrder(wish: .goBack, channel: "beta")))
        #expect(again.wish == .goBack && again.channel == "beta")
    }

    @Test("what a board says of itself is cut to size where it enters, whatever it says")
    func bounds() {
        let long = String(repeating: "\u{202e}x", count: 1000)
        let report = UpdateReport(
            machine: long, installed: long, release: long, previous: long, phase: .proving, underWay: long, fetchedBytes: -1,
            totalBytes: .max, failed: Array(repeating: long, count: 100), outcome: .init(release: long, reason: long), last: long
        ).bounded()
        for text in [report.machine, report.installed, report.release, report.previous, report.underWay, report.last] {
            #expect((text ?? "").unicodeScalars.count <= 300 && (text ?? long).isPlain)
        }
        #expect(report.failed.count == 8 && report.failed.allSatisfy { $0.count <= 64 && $0.isPlain })
        #expect(report.outcome?.release.count == 64 && report.outcome?.reason.count == 300)
        #expect(report.fetchedBytes == 0 && (report.totalBytes ?? 0) > 0)
    }
}
