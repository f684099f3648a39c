import Store
import Testing
import Units
import Wire

@testable import API

@Suite struct FiguresTests {
    @Test("a series is told once, under its help and type, whatever is added twice or differs behind what is shown of a label")
    func once() {
        var figures = Figures()
        let long = String(repeating: "x", count: 64)
        for (name, value) in [("a", 1.0), ("a", 2), ("b\"\\", 3), (long + "1", 4), (long + "2", 5)] {
            figures.add(.gauge, "link_live", "Whether it is", value, ["link": name])
        }
        #expect(
            figures.text == """
                # HELP link_live Whether it is
                # TYPE link_live gauge
                link_live{link="a"} 1
                link_live{link="b\\"\\\\"} 3
                link_live{link="\(long)"} 4

                """)
    }

    @Test("a quote is escaped whatever stands on it or before it")
    func marks() {
        var figures = Figures()
        for name in ["x\"\u{301}", "\u{0D4E}\"", "\\\u{301}"] { figures.add(.gauge, "link_live", "Whether it is", 1, ["link": name]) }
        let text = figures.text
        #expect(text.contains("x\\\"\u{301}") && text.contains("\u{0D4E}\\\"") && text.contains("\\\\\u{301}"), "\(text)")
    }
}

@Suite struct LabelBookTests {
    private let start = Timestamp(unixMs: 1_800_000_000_000)
    private func link(_ name: String) -> LinkTelemetry {
        LinkTelemetry(name: name, state: .live, sent: .kilobits(1), rttMs: nil, loss: nil, weight: 5, retransmittedPackets: 0)
    }
    private func inventory(_ names: [String]) -> Inventory {
        Inventory(links: names.map { Link(name: $0, kind: .cellular, state: .up, addresses: [], mtu: 1500) }, inputs: [], encoders: [])
    }
    /// What a sender with these links is shown with that tells of those.
    private func text(_ book: inout LabelBook, _ listed: [String], _ told: [String], after seconds: Int = 0) -> String {
        var sample = AgentTelemetry(atMs: 0, links: told.map(link), pipeline: nil)
        sample.usage = told.map {
            UsageTelemetry(link: $0, sim: nil, since: nil, sentBytes: 1, receivedBytes: 1, capBytes: nil, state: .within)
        }
        sample.modems = told.map {
            var modem = ModemTelemetry(id: "imei-\($0)", link: $0, model: "", state: .connected, sim: .ready)
            modem.signalPercent = 50
            return modem
        }
        var figures = Figures()
        figures.add(book.shown(sample, of: "S", with: inventory(listed), at: start + .seconds(seconds)), of: "S")
        return figures.text
    }

    @Test("only links of the inventory become labels, and what is left out is counted")
    func inventory() {
        var book = LabelBook()
        let text = text(&book, ["wwan0", "eth0"], ["wwan0", "invented"])
        #expect(
            text.contains(#"sender_link_live{sender="S",link="wwan0"} 1"#)
                && text.contains(#"sender_data_used_bytes{sender="S",link="wwan0"} 2"#))
        #expect(!text.contains(#"link="invented""#))
        #expect(text.contains(#"sender_modem_registered{sender="S",link="",modem="imei-invented"} 1"#))
        // A link, and its data plan.
        #expect(text.contains(#"sender_hidden_entries{sender="S"} 2"#))
    }

    @Test("a board that changes its inventory each second has 16 links and 16 modems in a day, those that it had first")
    func invented() {
        var book = LabelBook()
        var series: Set<String> = []
        for second in 0..<3600 {
            let names = ["wwan0", "l\(second)"]
            let text = text(&book, names, names, after: second)
            #expect(text.contains(#"sender_link_live{sender="S",link="wwan0"} 1"#))
            for line in text.split(separator: "\n") where line.hasPrefix("sender_modem_r") || line.hasPrefix("sender_link_live") {
                series.insert(String(line))
            }
        }
        #expect(series.count { $0.contains("link_live") } == LabelBook.linkLimit)
        #expect(Set(series.compactMap { $0.split(separator: "modem=").dropFirst().first }).count == LabelBook.modemLimit)
        // The next day there is room again, and none for what nobody told of any more.
        let later = text(&book, ["next"], ["next"], after: 86_400 + 3600)
        #expect(later.contains(#"sender_link_live{sender="S",link="next"} 1"#))
        book.keep(only: [], at: start + .seconds(3 * 86_400))
        #expect(text(&book, ["next"], ["next"], after: 3 * 86_400).contains(#"link="next"} 1"#))
    }
}
