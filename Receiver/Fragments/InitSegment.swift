import MPEGTS
import Units
import Wire

/// What a player is told before the first fragment: an MP4 file without media.
///
/// Source: ISO/IEC 14496-12, 8; for the sound 14496-14, 5.6 and 14496-1, 7.2.6.
struct InitSegment: Sendable, Hashable {
    let pictures: PictureTrack?
    let sound: AudioFormat?

    static let pictureTrack = PreviewChunk.pictureTrack
    static let soundTrack = PreviewChunk.soundTrack

    /// As MediaSource takes it behind `codecs=`.
    var codecs: String {
        [pictures?.codec, sound.map { "mp4a.40.\($0.objectType)" }].compactMap(\.self).joined(separator: ",")
    }

    var bytes: [UInt8] {
        var file = Box()
        file.box("ftyp") { box in
            box.text("iso6")
            box.number(1, 4)
            for brand in ["iso6", "mp41"] as [StaticString] { box.text(brand) }
        }
        file.box("moov") { movie in
            movie.box("mvhd", version: 0) { box in
                box.zeros(8)
                box.number(Int(MediaTime.ticksPerSecond), 4)
                box.number(0, 4)
                box.number(0x10000, 4)
                box.number(0x100, 2)
                box.zeros(10)
                box.unityMatrix()
                box.zeros(24)
                box.number(InitSegment.soundTrack + 1, 4)
            }
            if let pictures {
                InitSegment.track(&movie, InitSegment.pictureTrack, "vide", size: pictures.size) { InitSegment.describe(pictures, &$0) }
            }
            if let sound { InitSegment.track(&movie, InitSegment.soundTrack, "soun", size: nil) { InitSegment.describe(sound, &$0) } }
            movie.box("mvex") { box in
                for track in [pictures.map { _ in InitSegment.pictureTrack }, sound.map { _ in InitSegment.soundTrack }].compactMap(\.self)
                {
                    box.box("trex", version: 0) { box in
                        box.number(track, 4)
                        box.number(1, 4)
                        box.zeros(12)
                    }
                }
            }
        }
        return file.bytes
    }

    private static func track(
        _ movie: inout Box, _ number: Int, _ kind: StaticString, size: PictureSize?, _ describe: (inout Box) -> Void
    ) {
        movie.box("trak") { track in
            // Shown, and part of the film.
            track.box("tkhd", version: 0, flags: 3) { box in
                box.zeros(8)
                box.number(number, 4)
                box.zeros(20)
                box.number(size == nil ? 0x100 : 0, 2)
                box.zeros(2)
                box.unityMatrix()
                box.number((size?.width ?? 0) << 16, 4)
                box.number((size?.height ?? 0) << 16, 4)
            }
            track.box("mdia") { media in
                media.box("mdhd", version: 0) { box in
                    box.zeros(8)
                    box.number(Int(MediaTime.ticksPerSecond), 4)
                    box.number(0, 4)
                    // `und`, five bits a letter.
                    box.number(0x55C4, 2)
                    box.zeros(2)
                }
                media.box("hdlr", version: 0) { box in
                    box.zeros(4)
                    box.text(kind)
                    box.zeros(13)
                }
                media.box("minf") { information in
                    if size == nil {
                        information.box("smhd", version: 0) { $0.zeros(4) }
                    } else {
                        information.box("vmhd", version: 0, flags: 1) { $0.zeros(8) }
                    }
                    information.box("dinf") { box in
                        box.box("dref", version: 0) { box in
                            box.number(1, 4)
                            // In this file.
                            box.box("url ", version: 0, flags: 1) { _ in }
                        }
                    }
                    information.box("stbl") { InitSegment.sampleTable(&$0, describe) }
                }
            }
        }
    }

    /// Empty but for what samples are: they come with the fragments.
    private static func sampleTable(_ table: inout Box, _ describe: (inout Box) -> Void) {
        table.box("stsd", version: 0) { box in
            box.number(1, 4)
            describe(&box)
        }
        for name in ["stts", "stsc", "stco"] as [StaticString] { table.box(name, version: 0) { $0.zeros(4) } }
        table.box("stsz", version: 0) { $0.zeros(8) }
    }

    private static func describe(_ pictures: PictureTrack, _ box: inout Box) {
        let isH264 = pictures.format.coding == .h264
        box.box(isH264 ? "avc1" : "hvc1") { entry in
            entry.zeros(6)
            entry.number(1, 2)
            entry.zeros(16)
            entry.number(pictures.size.width, 2)
            entry.number(pictures.size.height, 2)
            for _ in 0..<2 { entry.number(0x48_0000, 4) }
            entry.zeros(4)
            entry.number(1, 2)
            entry.zeros(32)
            entry.number(0x18, 2)
            entry.number(0xFFFF, 2)
            entry.box(isH264 ? "avcC" : "hvcC") { $0.append(pictures.configuration) }
        }
    }

    private static func describe(_ sound: AudioFormat, _ box: inout Box) {
        box.box("mp4a") { entry in
            entry.zeros(6)
            entry.number(1, 2)
            entry.zeros(8)
            // Configuration 7 has eight.
            entry.number(sound.channels == 7 ? 8 : Int(sound.channels), 2)
            entry.number(16, 2)
            entry.zeros(4)
            // 16 bits before the point: what does not fit is told by the configuration alone.
            entry.number(sound.sampleRate < 1 << 16 ? sound.sampleRate << 16 : 0, 4)
            entry.box("esds", version: 0) { box in
                let configuration = sound.specificConfiguration
                // ES_Descriptor, DecoderConfigDescriptor, DecoderSpecificInfo, SLConfigDescriptor.
                box.append([0x03, UInt8(23 + configuration.count), 0, 0, 0])
                box.append([0x04, UInt8(15 + configuration.count), 0x40, 0x15])
                box.zeros(11)
                box.append([0x05, UInt8(configuration.count)] + configuration)
                box.append([0x06, 1, 2])
            }
        }
    }
}
