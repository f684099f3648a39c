import Testing

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
}
