@testable import Store
import Testing

@Suite struct TimestampTests {
    @Test(
        "a moment is written as ISO 8601 in UTC, and read back",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (1_795_217_345_120, "2026-11-20T23:29:05.120Z"), (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func iso8601(unixMs: Int64, text: String) {
        #expect(Timestamp(unixMs: unixMs).text == text)
        #expect(Timestamp(text: text)?.unixMs == unixMs)
    }

    @Test("days of four centuries is written and read back")
    func days() {
        for day in stride(from: Int64(-73_000), to: 73_000, by: 13) {
            let moment = Timestamp(unixMs: day * 86_400_000 + 12_345)
            #expect(Timestamp(text: moment.text) == moment)
        }
    }

    @Test(
        "a text that is no moment is refused",
        arguments: [
            "", "2026-11-20", "2026-02-29T00:00:00.000Z", "2026-11-20 23:29:05.120Z", "2026-11-20T24:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-11-20T23:29:05.120+", "+026-11-20T23:29:05.120Z",
        ])
    func refused(text: String) {
        #expect(Timestamp(text: text) == nil)
    }
}
