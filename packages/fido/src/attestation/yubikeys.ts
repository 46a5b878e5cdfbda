// Facts about one maker's keys, as its support pages list them: which firmware a model's AAGUID stands for.
export const YUBICO = "1.3.6.1.4.1.41482.";
/** Three bytes: major, minor, patch. */
export const YUBICO_FIRMWARE = "1.3.6.1.4.1.41482.13.1";

export interface YubicoModel {
  readonly name: string;
  /** The lines of firmware that were sold as this model. */
  readonly firmware: readonly string[];
}

const MODELS: readonly (readonly [name: string, firmware: string, ...aaguids: readonly string[]])[] = [
  ["YubiKey 5", "5.1", "cb69481e8ff7403993ec0a2729a154a8"],
  ["YubiKey 5", "5.2 5.4", "ee882879721c491397753dfcce97072a"],
  ["YubiKey 5", "5.7", "19083c3d83834b18bc038f1c9ab2fd1b", "ff4dac45ede84ec2acedcf66103f4335"],
  ["YubiKey 5", "5.7", "20ac7a17c814483393fe539f0d5e3389", "4599062e69264fe795669e8fb1aedaa0"],
  ["YubiKey 5 NFC", "5.1", "fa2b99dc9e3942578f924a30d23c4118"],
  ["YubiKey 5 NFC", "5.2 5.4", "2fc0579f811347eab116bb5a8db9202a"],
  ["YubiKey 5 NFC", "5.7", "a25342c03cdc44148e46f4807fca511c", "d7781e5de35346aaafe23ca49f13332a"],
  ["YubiKey 5 NFC", "5.7", "1ac71f64468d4fe0bef10e5f2f551f18", "6ab56fad881f4a43acb20be065924522"],
  ["YubiKey 5Ci", "5.2 5.4", "c5ef55ffad9a4b9fb580adebafe026d0"],
  ["YubiKey 5Ci", "5.7", "a02167b9ae714ac79a0706432ebb6f1c", "246731496c8642e798d9433fb5b73296"],
  ["YubiKey 5Ci", "5.7", "b90e7dc1316e4feea25a56a666a670fe", "3b24bf491d454484a91713175df0867b"],
  ["YubiKey 5 FIPS", "5.4", "73bb0cd4e50249b89c6fb59445bf720b"],
  ["YubiKey 5 FIPS", "5.7", "57f7de54c8074eabb1c61c9be7984e92", "905b4cb4ed6f4da992fc45e0d4e9b5c7"],
  ["YubiKey 5 NFC FIPS", "5.4", "c1f9a0bc1dd2404ab27f8e29047a43fd"],
  ["YubiKey 5 NFC FIPS", "5.7", "fcc0118fcd45435b8da19782b2da0715", "79f3c8ba9e35484b8f4753a5a0f5c630"],
  ["YubiKey 5Ci FIPS", "5.4", "8520342148f943559bc88a53846e5083"],
  ["YubiKey 5Ci FIPS", "5.7", "7b96457de3cd432b9cebc9fdd7ef7432", "3a662962c6d44023bebb98ae92e78e20"],
  ["YubiKey Bio", "5.5 5.6", "d8522d9f575b486688a9ba99fa02f35b"],
  ["YubiKey Bio", "5.6", "7d1351a6e0974852b8bfc9ac5c9ce4a3"],
  ["YubiKey Bio", "5.7", "dd86a2da86a04cbeb4624bd31f57bc6f", "7409272d1ff94e109fc9ac0019c124fd"],
  ["YubiKey Bio", "5.7", "8c39ee867f9a4a959ba3f6b097e5c2ee", "ad08c78a4e4149b986a2ac15b06899e2"],
  ["YubiKey Bio", "5.7", "90636e1fef8243bfbdcf5255f139d12f", "347449134f574e6ea527e9ec3c4b94e6"],
  ["YubiKey Bio", "5.7", "97e6a830c952474095fc7c78dc97ce47", "6ec5cff2a0f94169945bf33b563f7b99"],
  ["Security Key", "5.1", "f8a011f38c0a4d15800617111f9edc7d"],
  ["Security Key", "5.2 5.4", "b92c3f9ac0144056887f140a2501163b"],
  ["Security Key NFC", "5.1", "6d44ba9bf6ec2e49b9300c8fe920cb73"],
  ["Security Key NFC", "5.2 5.4", "149a20218ef6413396b881f8d5b7f1f5"],
  ["Security Key NFC", "5.4", "a4e9fc6d4cbe4758b8ba37598bb5bbaa", "0bb43545fd2c418587ddfeb0b2916ace"],
  ["Security Key NFC", "5.7", "e77e3c6405e3428b88240cbeb04b829d", "b7d3f68e88a6471e9ecf2df26d041ede"],
  ["Security Key NFC", "5.7", "47ab2fb466ac41849ae186be814012d5", "ed042a3a4b224455bb69a267b652ae7e"],
  ["Security Key NFC", "5.7", "9ff4cc6561544fffba099e2af7882ad2"],
];

/** By AAGUID, 32 hex digits. */
export const YUBICO_MODELS: ReadonlyMap<string, YubicoModel> = new Map(
  MODELS.flatMap(([name, firmware, ...aaguids]) =>
    aaguids.map((aaguid) => [aaguid, { name, firmware: firmware.split(" ") }] as const),
  ),
);
