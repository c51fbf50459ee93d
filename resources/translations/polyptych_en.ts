<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en_US" sourcelanguage="en">
<context>
    <name>DeviceCard</name>
    <message numerus="yes">
        <source>%n done</source>
        <translation>
            <numerusform>%n done</numerusform>
            <numerusform>%n done</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::ClosingSheet</name>
    <message numerus="yes">
        <source>%n picture(s) are not made yet.</source>
        <translation>
            <numerusform>%n picture is not made yet.</numerusform>
            <numerusform>%n pictures are not made yet.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::MainWindow</name>
    <message numerus="yes">
        <source>%n failed</source>
        <translation>
            <numerusform>%n failed</numerusform>
            <numerusform>%n failed</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Stopped. %n picture(s) kept.</source>
        <translation>
            <numerusform>Stopped. %n picture kept.</numerusform>
            <numerusform>Stopped. %n pictures kept.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) failed; the others are there.</source>
        <translation>
            <numerusform>%n picture failed; the others are there.</numerusform>
            <numerusform>%n pictures failed; the others are there.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>All %n picture(s) are there.</source>
        <translation>
            <numerusform>The picture is there.</numerusform>
            <numerusform>All %n pictures are there.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) failed.</source>
        <translation>
            <numerusform>%n picture failed.</numerusform>
            <numerusform>%n pictures failed.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::RunForm</name>
    <message numerus="yes">
        <source>%n prompt(s)</source>
        <translation>
            <numerusform>%n prompt</numerusform>
            <numerusform>%n prompts</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%L1 picture(s)</source>
        <translation>
            <numerusform>%L1 picture</numerusform>
            <numerusform>%L1 pictures</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::StopCommands</name>
    <message numerus="yes">
        <source>%n picture(s) stopped.</source>
        <translation>
            <numerusform>%n picture stopped.</numerusform>
            <numerusform>%n pictures stopped.</numerusform>
        </translation>
    </message>
</context>
</TS>
