import Testing
import Units
import Wire

@testable import Configuration

@Suite struct SenderConfigurationTests {
    @Test("an empty text is the standard, and every key is read")
    func reads() throws {
        #expect(try SenderConfiguration.parse("") == .standard)
        let told = try SenderConfiguration.parse(
            """
            [video]
            input = "v4l2:usb-1.2"
            encoder = "x264"
            codec = "h264"
            bitrate_kbit = 4000
            width = 1920
            height = 1080
            frame_rate = 25
            [audio]
            input = "alsa:card1,0"
            bitrate_kbit = 160
            [transport]
            buffer_ms = 800
            links = ["wwan0", "eth0"]
            [limits]
            video_kbit = 6000
            """)
        let encoder = EncoderChoice(
            id: .x264, codec: .h264, bitrate: .kilobits(4000), audioBitrate: .kilobits(160), width: 1920, height: 1080, frameRate: 25)
        #expect(
            told
                == SenderConfiguration(
                    input: InputChoice(video: "v4l2:usb-1.2", audio: "alsa:card1,0"), encoder: encoder, bufferMs: 800,
                    links: ["wwan0", "eth0"], protection: .throughput, maximumBitrate: .kilobits(6000)))
    }

    @Test(
        "no text names an element, a path, a shell or a library",
        arguments: [
            "[video]\nencoder = \"x264enc ! filesink location=/tmp/x\"", "[video]\npipeline = \"videotestsrc\"",
            "[video]\ninput = \"/dev/video0\"",
            "[video]\ninput = \"file:../../etc/passwd\"", "[video]\nencoder = \"/usr/lib/evil.so\"",
            "[transport]\nlinks = [\"eth0; reboot\"]",
            "[transport]\nlinks = [\"../x\"]", "[video]\nbitrate_kbit = 999999",
            "[video]\nbitrate_kbit = 9000\n[limits]\nvideo_kbit = 8000",
            "[[link]]\ncost = \"free\"", "[[link]]\nname = \"wwan0\"\ncost = \"cheap\"", "[[link]]\nname = \"a/b\"",
            "[[link]]\nname = \"a\"\n[[link]]\nname = \"a\"", "[transport]\nprotection = \"all\"",
            "[hooks]\nstart = \"sh\"", "[video]\nwidth = \"1280\"", "[video]\ninput = \"a\\nb\"",
        ])
    func refused(text: String) {
        #expect(throws: ConfigurationFaults.self) { try SenderConfiguration.parse(text) }
    }

    @Test(
        "what no encoder takes, and links of which none is meant or one twice, are named by key",
        arguments: [
            ("[video]\nwidth = 1279", "video.width"), ("[video]\nheight = 721", "video.height"),
            ("[transport]\nlinks = []", "transport.links"),
            ("[transport]\nlinks = [\"a\", \"b\", \"a\"]", "transport.links"),
        ])
    func unusable(text: String, key: String) {
        let faults = #expect(throws: ConfigurationFaults.self) { try SenderConfiguration.parse(text) }
        #expect(faults?.faults.map(\.key) == [key])
    }

    @Test("a link's data plan is a cap and the day that a cycle begins with; what is out of bounds is named")
    func plans() throws {
        let configuration = try SenderConfiguration.parse(
            "[[link]]\nname = \"wwan0\"\ndata_cap_mib = 10240\ncycle_day = 15\n[[link]]\nname = \"wwan1\"\n")
        #expect(configuration.linkRules["wwan0"]?.data == DataPlan(capBytes: 10240 << 20, firstDay: 15))
        #expect(configuration.linkRules["wwan1"]?.data == DataPlan())
        for (line, key) in [
            ("data_cap_mib = 0", "data_cap_mib"), ("data_cap_mib = 100000001", "data_cap_mib"), ("cycle_day = 32", "cycle_day"),
            ("cycle_day = 0", "cycle_day"), ("data_cap_gb = 1", "data_cap_gb"),
        ] {
            let faults = #expect(throws: ConfigurationFaults.self) {
                try SenderConfiguration.parse("[[link]]\nname = \"wwan0\"\n\(line)\n")
            }
            #expect(faults?.faults.map(\.key) == ["link[0].\(key)"], "\(line)")
        }
    }

    @Test("the owner's words of where a board is are one line")
    func location() throws {
        #expect(
            try SenderConfiguration.parse("[sender]\nlocation = \"Marktplatz, Übertragungswagen\"\n").location?.hasPrefix("Markt") == true)
        #expect(try SenderConfiguration.parse("").location == nil)
        for text in ["", "a\\nb", String(repeating: "x", count: 201)] {
            #expect(throws: ConfigurationFaults.self) { try SenderConfiguration.parse("[sender]\nlocation = \"\(text)\"\n") }
        }
    }

    @Test("links have costs and ceilings by their names, and a broadcast its protection")
    func links() throws {
        let configuration = try SenderConfiguration.parse(
            """
            [transport]
            protection = "balanced"
            [[link]]
            name = "wwan0"
            cost = "last_resort"
            [[link]]
            name = "wwan1"
            ceiling_kbit = 3000
            """)
        #expect(configuration.protection == .balanced)
        #expect(configuration.linkRules == ["wwan0": LinkRule(cost: .lastResort), "wwan1": LinkRule(ceiling: .kilobits(3000))])
    }
}
